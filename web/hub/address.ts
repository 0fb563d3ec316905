// Where the hub is: pages come from it.
export function hubAddress(): string {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}`;
}

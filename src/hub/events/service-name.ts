// What a task is called before people: programs are told from each other by their size inside the hub only.
export const PROGRAM = "program";

export function serviceName(service: string): string {
  return service.startsWith("program:") ? PROGRAM : service;
}

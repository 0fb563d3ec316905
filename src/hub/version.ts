// What this program calls itself on the wire and on screen. package.json has the number.
import { createRequire } from "node:module";

const { version } = createRequire(import.meta.url)("../../package.json") as { version: string };

export const VERSION = version;
export const SOFTWARE = `flockwork/${version}`;

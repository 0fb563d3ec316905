// Reading option values, with errors that name the option, the value and what would do.
import { readFileSync } from "node:fs";
import { InvalidArgumentError } from "commander";
import { FlockworkError } from "../ids/index.js";

export function wholeNumber(option: string, least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most)
      throw new InvalidArgumentError(`${option} takes a whole number from ${least} to ${most}.`);
    return value;
  };
}

export function choice<T extends string>(option: string, values: readonly T[]): (text: string) => T {
  return (text) => {
    if (!(values as readonly string[]).includes(text))
      throw new InvalidArgumentError(`${option} takes one of ${values.join(", ")}.`);
    return text as T;
  };
}

/** The text of a certificate or key file. */
export function readPem(option: string, file: string): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new FlockworkError(
      "bad_argument",
      `${option} ${file} can not be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (!text.includes("-----BEGIN "))
    throw new FlockworkError(
      "bad_argument",
      `${option} ${file} is not in PEM format (it has no "-----BEGIN" line).`,
    );
  return text;
}

// Reading option values, with errors that name the option, the value and what would do.
import { InvalidArgumentError } from "commander";

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

// A hook for Node's module loader: "flockwork" is the one that is installed beside the script, or else this one.
import type { ResolveHook } from "node:module";

export const resolve: ResolveHook = async (specifier, context, next) => {
  if (specifier !== "flockwork" && !specifier.startsWith("flockwork/")) return next(specifier, context);
  try {
    return await next(specifier, context);
  } catch {
    return next(specifier, { ...context, parentURL: import.meta.url });
  }
};

import { defineConfig } from "vitest/config";

// Two projects: `unit` needs nothing but the source; `system` starts real processes from dist/.
export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["src/**/*.test.ts", "web/**/*.test.ts"], testTimeout: 30_000 } },
      {
        test: {
          name: "system",
          include: ["test/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          fileParallelism: false,
          // CI's machine may be held up by others for seconds; what fails twice is broken. The report tells of each second try.
          retry: process.env["CI"] === undefined ? 0 : 1,
        },
      },
    ],
  },
});

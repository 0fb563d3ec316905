// Gathering payloads against a version that copies one by one.
import fc from "fast-check";
import { expect, it } from "vitest";
import { packPayloads, unpackPayloads, type Payload } from "../wire/index.js";
import { gather, payloadAt, type PayloadSource } from "./columns.js";
import { Segment } from "./jobs.js";

const payload = fc.record({ kind: fc.nat({ max: 3 }), bytes: fc.uint8Array({ maxLength: 24 }) });

function segmentOf(payloads: readonly Payload[]): Segment {
  const tasks = new Float64Array(payloads.length);
  return new Segment({ k: "solved", node: "n", tasks, ...packPayloads(payloads) }, [], 0);
}

const plain = ({ kind, bytes }: Payload) => [kind, ...bytes];

it("gathers any payloads of any segments in the order asked for", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(payload, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 4 }),
      // Runs of neighbours, which are copied in one piece, and loose ones.
      fc.array(fc.record({ from: fc.nat(), at: fc.nat(), run: fc.nat({ max: 4 }), loose: payload })),
      (contents, picks) => {
        const segments = contents.map(segmentOf);
        const sources: PayloadSource[] = [];
        const wanted: Payload[] = [];
        for (const { from, at, run, loose } of picks) {
          if (run === 0) {
            sources.push({ segment: segmentOf([loose]), index: 0 });
            wanted.push(loose);
          }
          const which = from % segments.length;
          const own = contents[which]!;
          for (let index = at % own.length, n = 0; n < run && index < own.length; n++, index++) {
            sources.push({ segment: segments[which]!, index });
            wanted.push(own[index]!);
          }
        }
        expect(unpackPayloads(gather(sources)).map(plain)).toEqual(wanted.map(plain));
      },
    ),
  );
});

it("finds each payload of a segment", () => {
  fc.assert(
    fc.property(fc.array(payload), (payloads) => {
      const segment = segmentOf(payloads);
      expect(payloads.map((_, i) => plain(payloadAt(segment, i)))).toEqual(payloads.map(plain));
      expect(payloads.map((_, i) => segment.lengthOf(i))).toEqual(payloads.map(({ bytes }) => bytes.length));
    }),
  );
});

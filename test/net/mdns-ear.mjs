// Hears what is announced on the network by multicast DNS: says each packet in base64 and, of its text, what can be read.
import makeMdns from "multicast-dns";

const mdns = makeMdns();
mdns.on("response", (response) => {
  process.stdout.write(
    `heard ${JSON.stringify(response, (_, v) => (v?.type === "Buffer" ? Buffer.from(v.data).toString("latin1") : v))}\n`,
  );
});
mdns.on("ready", () => {
  process.stdout.write("ready\n");
  mdns.query({ questions: [{ name: "_flockwork._tcp.local", type: "PTR" }] });
});

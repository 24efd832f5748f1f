// Reading an upload without HTTP and database: node bench/parse.mjs FILE.csv|.ndjson|.json [rounds]. Build first.
import { createReadStream } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { readUpload } from '../dist/ingest/parse/upload.js';
import { samplePorts } from '../dist/sample/places.js';

const [file = '', rounds = '3'] = process.argv.slice(2);
const format = file.split('.').at(-1) ?? '';
const ports = samplePorts.map(({ code, name }) => ({ code, name }));
let peak = 0;
const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 5);
const delay = monitorEventLoopDelay({ resolution: 1 });

for (let round = 0; round < Number(rounds); round++) {
  delay.reset();
  delay.enable();
  const before = process.cpuUsage();
  const start = performance.now();
  let parts = 0;
  let packed = 0;
  const result = await readUpload(createReadStream(file), { format, ports }, async ({ segments }) => {
    for (const { items } of segments) packed += items;
    parts++;
  });
  const took = performance.now() - start;
  delay.disable();
  process.stdout.write(
    [
      `${result.items} items in ${took.toFixed(0)} ms, CPU ${(process.cpuUsage(before).user / 1000).toFixed(0)} ms`,
      `${packed} packed in ${parts} parts, ${result.faultTotal} faults, ${result.faults.length} kept`,
      `RSS up to ${(peak / 1e6).toFixed(0)} MB, event loop p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms\n`,
    ].join('; '),
  );
}
clearInterval(watch);

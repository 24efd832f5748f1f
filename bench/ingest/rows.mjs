// The rows of bench/ingest by name, in the order they are measured: what fills the tables most comes last.
import { measureBulk } from './bulk.mjs';
import { measureClients } from './clients.mjs';
import { measureFormats } from './formats.mjs';
import { measureMemory } from './memory.mjs';
import { measureParts } from './parts.mjs';
import { measurePublish } from './publish.mjs';
import { measureReads } from './reads.mjs';

/** Each measures and returns rows: { name, against, goal, measured, met, note? }. */
export const rows = {
  clients: measureClients,
  formats: measureFormats,
  publish: measurePublish,
  bulk: measureBulk,
  reads: measureReads,
  memory: measureMemory,
  parts: measureParts,
};

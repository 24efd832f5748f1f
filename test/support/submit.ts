/** A file that goes in parts over a real connection, cut small. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from '../../src/cli/context.js';
import { openSource, type Source } from '../../src/cli/submit/source.js';
import type { CutSizes } from '../../src/cli/submit/parts/cutter.js';
import { cuttable } from '../../src/cli/submit/parts/parts.js';
import { PartsProgress } from '../../src/cli/submit/parts/progress.js';
import { submitInParts, type Outcome, type PartsJob } from '../../src/cli/submit/parts/upload.js';
import { listen } from '../../src/http/listen.js';
import { withBatches, type BatchTest, type BatchTestOptions } from './batches.js';

const sizes: CutSizes = { part: 1_000, tail: 100, lookahead: 200, slack: 1 << 20 };
export const header = 'orig_code,dest_code,day,price\n';
export const line = (price: number | string): string => `AAAAA,BBBBB,2022-01-01,${price}\n`;
export const rows = (count: number): string[] => Array.from({ length: count }, (_, at) => line(100 + at));

export interface Told {
  outcome: Outcome;
  said: string[];
  key: string;
}

type Submit = (options?: Partial<PartsJob> & { dieAfter?: number }) => Promise<Told>;

export interface Setting extends BatchTest {
  path: string;
  url: string;
  write(content: string | Buffer): void;
  submit: Submit;
  stored(): number[];
}

const context = { stderr: { isTTY: false } } as unknown as Context;

/** The process ends when so many bytes of the file have been read. */
const dying = (source: Source, bytes: number): Source => ({
  ...source,
  unpacked: async function* () {
    let read = 0;
    for await (const chunk of source.unpacked()) {
      for (let at = 0; at < chunk.length; at += 100) {
        if ((read += 100) > bytes) throw new Error('killed');
        yield chunk.subarray(at, at + 100);
      }
    }
  },
});

export const withFile = (
  work: (setting: Setting) => Promise<void>,
  options: BatchTestOptions = {},
): Promise<void> =>
  withBatches(async (test) => {
    const folder = mkdtempSync(join(tmpdir(), 'fairway-test-submit-'));
    const path = join(folder, 'prices.csv');
    const url = await listen(test.server, '127.0.0.1', 0);
    const submit: Submit = async ({ dieAfter, ...more } = {}) => {
      const opened = await openSource(path, undefined);
      const source = dieAfter === undefined ? opened : dying(opened, dieAfter);
      const said: string[] = [];
      let begun = '';
      const how = cuttable(source);
      if (!how) throw new Error('its header is odd');
      try {
        const outcome = await submitInParts(
          {
            service: { url },
            source,
            key: undefined,
            replaces: undefined,
            items: undefined,
            // One after the other where it is to be known which arrived.
            streams: dieAfter === undefined ? 3 : 1,
            faultsKept: 100,
            patienceMilliseconds: 5_000,
            progress: new PartsProgress(context, source),
            sizes,
            say: (words) => said.push(words),
            resumes: (words) => said.push(words),
            begun: (key) => (begun = key),
            ...more,
          },
          how,
        );
        return { outcome, said, key: begun };
      } finally {
        await opened.close();
      }
    };
    const stored = (): number[] =>
      test.events
        .flatMap((event) => (event.kind === 'part-stored' ? [event.part] : []))
        .sort((a, b) => a - b);
    try {
      await work({ ...test, path, url, submit, stored, write: (content) => writeFileSync(path, content) });
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, options);

/** The verdict. */
export function answerOf({ outcome }: Told) {
  if ('answer' in outcome) return outcome.answer;
  throw new Error('it is to go as a whole');
}

export const remembered = ({ path }: Setting): string => `${path}.fairway.json`;
export const published = ({ events }: Setting): number =>
  events.filter(({ kind }) => kind === 'batch-published').length;

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readLanes } from '../../src/cli/lanes.js';

test('lanes come from words, options and a file, a thousand at the most', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairway-lanes-'));
  const file = join(folder, 'lanes.csv');
  const lines = (count: number) => writeFileSync(file, `origin,destination\n\n${'A,"B"\n'.repeat(count)}`);
  try {
    lines(998);
    const lanes = await readLanes(['C', 'D'], { lane: ['E:F'], lanes: file });
    expect([lanes.length, ...lanes.slice(0, 3)]).toEqual([
      1_000,
      { origin: 'C', destination: 'D' },
      { origin: 'E', destination: 'F' },
      { origin: 'A', destination: 'B' },
    ]);
    lines(999);
    await expect(readLanes(['C', 'D'], { lane: ['E:F'], lanes: file })).rejects.toMatchObject({
      code: 'usage',
      message: '1001 lanes are asked about, and 1000 are the most at once; ask in several commands',
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
  await expect(readLanes([], { lane: [] })).rejects.toMatchObject({ code: 'usage' });
  await expect(readLanes(['C'], { lane: [] })).rejects.toMatchObject({ code: 'usage' });
  await expect(readLanes([], { lane: ['A:B:C'] })).rejects.toMatchObject({ code: 'usage' });
});

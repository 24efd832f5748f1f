/** A file in parts that is cut off: what is remembered, and what is sent again. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { counted, left, opened, put } from '../support/parts.js';
import { answerOf, header, line, published, remembered, rows, withFile } from '../support/submit.js';
import { until } from '../support/uploads.js';

test('a file in parts is published once; what was remembered beside it is gone', () =>
  withFile(async (setting) => {
    setting.write(header + rows(200).join(''));
    const told = await setting.submit();
    expect(told.outcome).toMatchObject({
      repeated: false,
      answer: { json: { state: 'published', items: 200, key: told.key } },
    });
    expect(told.said).toEqual([]);
    expect(setting.stored()).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await counted(setting.server)).toBe(200);
    expect(existsSync(remembered(setting))).toBe(false);
  }));

test('where the service takes one part at once, one stream goes on, and nothing is refused again', () => {
  let count = (_kind: 'part-begun' | 'part-ended'): number => 0;
  // The one that has the slot waits until the others were refused.
  const disk = { check: () => until(async () => count('part-begun') === 0 || count('part-ended') >= 2) };
  return withFile(
    async (setting) => {
      count = (wanted) => setting.events.filter(({ kind }) => kind === wanted).length;
      setting.write(header + rows(300).join(''));
      const told = await setting.submit({ patienceMilliseconds: 0 });
      expect(answerOf(told)).toMatchObject({ json: { state: 'published', items: 300 } });
      expect(setting.stored().length).toBeGreaterThan(5);
      // All that was begun was stored, but for two.
      expect(count('part-begun')).toBe(setting.stored().length + 2);
    },
    { disk, limits: { uploads: 1, admissionMilliseconds: 1 } },
  );
});

test('killed anywhere, the same again sends what is missing, and publishes once', () =>
  withFile(async (setting) => {
    setting.write(header + rows(200).join(''));
    for (const dieAfter of [0, 900, 2_500, 4_700])
      await expect(setting.submit({ dieAfter })).rejects.toThrow('killed');
    expect(setting.stored()).toEqual([1, 2, 3, 4]);
    expect(statSync(remembered(setting)).mode & 0o777).toBe(0o600);
    const told = await setting.submit();
    expect(told.said).toEqual(['resuming batch 2, which has 4 parts already']);
    expect(setting.stored()).toEqual([1, 2, 3, 4, 5, 6]);
    expect(told.outcome).toMatchObject({ repeated: false, answer: { json: { items: 200 } } });
    expect([published(setting), await counted(setting.server)]).toEqual([1, 200]);
  }));

test('killed after it was published, the same again says so', () =>
  withFile(async (setting) => {
    setting.write(header + rows(200).join(''));
    await expect(setting.submit({ dieAfter: 2_000 })).rejects.toThrow('killed');
    const memory = readFileSync(remembered(setting));
    await setting.submit();
    writeFileSync(remembered(setting), memory);
    const told = await setting.submit();
    expect(told).toMatchObject({
      said: [],
      outcome: { repeated: true, answer: { json: { state: 'published', items: 200 } } },
    });
    expect([published(setting), await counted(setting.server)]).toEqual([1, 200]);
    expect(existsSync(remembered(setting))).toBe(false);
  }));

test('a file that changed begins anew, and what was begun is given up; what was published stays', () =>
  withFile(async (setting) => {
    setting.write(header + rows(200).join(''));
    await expect(setting.submit({ dieAfter: 2_500 })).rejects.toThrow('killed');
    const memory = readFileSync(remembered(setting));
    setting.write(header + rows(100).join(''));
    const changed = await setting.submit();
    expect(changed.said).toEqual([
      'prices.csv has changed since the upload that was cut off; it begins anew',
    ]);
    expect(await left(setting)).toMatchObject([{ batches: 1 }]);
    expect(await counted(setting.server)).toBe(100);
    // Killed between its verdict and forgetting it; then comes the next day's file.
    const { id, key } = answerOf(changed).json as { id: string; key: string };
    writeFileSync(
      remembered(setting),
      JSON.stringify({ ...(JSON.parse(memory.toString()) as object), key, batch: id }),
    );
    const next = await setting.submit();
    expect(next.said).toEqual([
      expect.stringMatching(/^prices.csv has changed/) as string,
      `batch ${id} stays as it is: batch ${id} is published; it takes no more parts`,
    ]);
    expect(await counted(setting.server)).toBe(200);
    setting.write(header + rows(99).join(''));
    utimesSync(setting.path, 1, 1);
    await expect(setting.submit({ dieAfter: 1_500 })).rejects.toThrow('killed');
    utimesSync(setting.path, 2, 2);
    expect((await setting.submit()).said).toEqual([
      expect.stringMatching(/^prices.csv has changed/) as string,
    ]);
  }));

test('a batch that is gone begins anew, with a word; so do other words of the command', () =>
  withFile(async (setting) => {
    setting.write(header + rows(200).join(''));
    await expect(setting.submit({ dieAfter: 2_500 })).rejects.toThrow('killed');
    await setting.query(
      "delete from fairway.parts; delete from fairway.segments; delete from fairway.attempts a using fairway.batches b where b.id = a.batch and b.in_parts and b.state = 'loading'; delete from fairway.batches where in_parts",
    );
    const gone = await setting.submit();
    expect(gone.said).toEqual(['batch 2 is no longer there; it begins anew']);
    const { id } = answerOf(gone).json as { id: string };
    await expect(setting.submit({ dieAfter: 2_500 })).rejects.toThrow('killed');
    const told = await setting.submit({ replaces: id });
    expect(told.said).toEqual(['the command is another since the upload that was cut off; it begins anew']);
    expect(answerOf(told).json).toMatchObject({ replaces: id, state: 'published' });
    expect(await left(setting)).toMatchObject([{ batches: 2 }]);
    expect(await counted(setting.server)).toBe(200);
  }));

test('the key alone finds what arrived; parts of another file are replaced, too many given up', () =>
  withFile(async (setting) => {
    const id = await opened(setting, 'mine');
    await put(setting, id, 1, header + line(7));
    await put(setting, id, 3, header + line(7));
    setting.write(header + rows(200).join(''));
    const told = await setting.submit({ key: 'mine' });
    expect(told.said).toEqual([`resuming batch ${id}, which has 2 parts already`]);
    expect(answerOf(told).json).toMatchObject({ id, key: 'mine', items: 200 });
    const again = await setting.submit({ key: 'mine' });
    expect(again.outcome).toMatchObject({ repeated: true, answer: { json: { id } } });
    setting.write(header + rows(201).join(''));
    await expect(setting.submit({ key: 'mine' })).rejects.toMatchObject({ code: 'key_conflict' });
    setting.write(header + rows(40).join(''));
    await expect(setting.submit({ key: 'mine' })).rejects.toMatchObject({ code: 'key_conflict' });
    const many = await opened(setting, 'many');
    await put(setting, many, 9, header + line(7));
    const given = await setting.submit({ key: 'many' });
    expect(answerOf(given).json).toMatchObject({ key: 'many', items: 40, state: 'published' });
    expect(await counted(setting.server)).toBe(240);
  }));

test('where nothing can be written beside the file, it is remembered in the folder for temporary files', () =>
  withFile(async (setting) => {
    const before = process.env['TMPDIR'];
    const folder = mkdtempSync(join(tmpdir(), 'fairway-test-memory-'));
    try {
      process.env['TMPDIR'] = folder;
      mkdirSync(remembered(setting));
      setting.write(header + rows(200).join(''));
      const said: string[] = [];
      const say = (words: string) => void said.push(words);
      await expect(setting.submit({ dieAfter: 2_500, say })).rejects.toThrow('killed');
      const elsewhere = join(folder, readdirSync(folder)[0] ?? '');
      const [name = ''] = readdirSync(elsewhere);
      expect(said).toEqual([
        `${remembered(setting)} cannot be written; what resumes this upload is in ${join(elsewhere, name)}`,
      ]);
      const told = await setting.submit();
      expect(told.said).toEqual(['resuming batch 2, which has 2 parts already']);
      expect(readdirSync(elsewhere)).toEqual([]);
      // What another user could have put there is not trusted.
      await expect(setting.submit({ dieAfter: 2_500, say })).rejects.toThrow('killed');
      chmodSync(elsewhere, 0o777);
      const alone = await setting.submit({ key: 'mine' });
      expect(alone.said).toEqual([
        `${remembered(setting)} cannot be written; only --key mine resumes this upload`,
      ]);
      expect(published(setting)).toBe(2);
    } finally {
      if (before === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = before;
      rmSync(folder, { recursive: true });
    }
  }));

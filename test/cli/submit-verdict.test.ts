/** A file in parts: the verdict on the whole, and what does not go in parts. */
import { existsSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { openSource, type Source } from '../../src/cli/submit/source.js';
import { counted, left, open } from '../support/parts.js';
import { answerOf, header, line, remembered, rows, withFile } from '../support/submit.js';

test('all faults of the file are told with its lines, and nothing stays', () =>
  withFile(async (setting) => {
    const lines = rows(300);
    const bad = [1, 2, 77, 150, 151, 299];
    for (const at of bad) lines[at] = line('x');
    setting.write(`\ufeff${header}${lines.join('')}`.replaceAll('\n', '\r\n'));
    const told = await setting.submit();
    expect(answerOf(told)).toMatchObject({
      status: 422,
      json: {
        code: 'batch_rejected',
        error_total: 6,
        error_counts: { price_invalid: 6 },
        errors: bad.map((at) => ({ line: at + 2, column: 24, value: 'x' })),
      },
    });
    const few = await setting.submit({ faultsKept: 4 });
    expect(answerOf(few).json).toMatchObject({ error_total: 6, errors: { length: 4, 3: { line: 152 } } });
    expect(await left(setting)).toMatchObject([{ batches: 0, parts: 0 }]);
    expect(existsSync(remembered(setting))).toBe(false);
  }));

test('a trailer and --items count the whole file, not its last part', () =>
  withFile(async (setting) => {
    const body = header + rows(200).join('');
    const differs = (line: number, value: string) => ({
      status: 422,
      json: {
        error_total: 1,
        error_counts: { count_differs: 1 },
        errors: [
          {
            line,
            column: 1,
            code: 'count_differs',
            value,
            message: `${value} items were declared, 200 came`,
          },
        ],
      },
    });
    setting.write(`${body}#items=199\n\n`);
    expect(answerOf(await setting.submit())).toMatchObject(differs(202, '199'));
    setting.write(body);
    expect(answerOf(await setting.submit({ items: 201 }))).toMatchObject(differs(202, '201'));
    setting.write(body.trimEnd());
    expect(answerOf(await setting.submit({ items: 1 }))).toMatchObject(differs(202, '1'));
    expect(await left(setting)).toMatchObject([{ batches: 0, parts: 0 }]);
    setting.write(`${body}#items=200`);
    expect(answerOf(await setting.submit({ items: 200 })).json).toMatchObject({
      items: 200,
      state: 'published',
    });
    setting.write(`${body}#items=200\n#items=200\n`);
    expect((await setting.submit({ key: 'odd' })).outcome).toEqual({ whole: 'odd' });
    expect(await left(setting)).toMatchObject([{ batches: 1 }]);
  }));

test('NDJSON, and what is packed, which is packed again', () =>
  withFile(async (setting) => {
    const object = (price: number) =>
      `{"orig_code":"AAAAA","dest_code":"BBBBB","day":"2022-01-01","price":${price}}\n`;
    const lines = Array.from({ length: 200 }, (_, at) => object(at + 1)).join('');
    setting.write(gzipSync(`${lines}{"items":200}\n`));
    await expect(setting.submit({ dieAfter: 3_000 })).rejects.toThrow('killed');
    const before = setting.stored().length;
    expect(before).toBeGreaterThan(1);
    const told = await setting.submit();
    expect(answerOf(told).json).toMatchObject({ items: 200, format: 'ndjson', state: 'published' });
    expect(told.said).toEqual([`resuming batch 2, which has ${before} parts already`]);
    expect(new Set(setting.stored()).size).toBe(setting.stored().length);
    const packed = gzipSync(lines + object(0));
    setting.write(packed);
    expect(answerOf(await setting.submit()).json).toMatchObject({
      errors: [{ line: 201, code: 'price_outside' }],
    });
    setting.write(packed.subarray(0, -20));
    await expect(setting.submit()).rejects.toMatchObject({ code: 'body_unreadable' });
    expect(await left(setting)).toMatchObject([{ batches: 1 }]);
    expect(existsSync(remembered(setting))).toBe(false);
  }));

test('what a key was used for in one request, and what a service does not take in parts, goes as a whole', () =>
  withFile(
    async (setting) => {
      const body = header + rows(200).join('');
      await setting.post(body, { key: 'mine' });
      setting.write(body);
      expect((await setting.submit({ key: 'mine' })).outcome).toEqual({ whole: 'mine' });
      const told = await setting.submit({ key: 'large' });
      expect(told).toMatchObject({
        outcome: { whole: 'large' },
        said: ['prices.csv goes as a whole: the service takes smaller parts'],
      });
      expect(await left(setting)).toMatchObject([{ batches: 1 }]);
      expect((await open(setting, { key: 'large' })).statusCode).toBe(201);
    },
    { limits: { partBytes: 900 } },
  ));

test('a file that is changed while it is sent is not published', () =>
  withFile(async (setting) => {
    setting.write(header + rows(200).join(''));
    let read = 0;
    const real = await openSource(setting.path, undefined);
    const source: Source = {
      ...real,
      read: (onBytes, range) => {
        if (++read === 3) setting.write(header + rows(200).join('').replaceAll('2022', '2021'));
        return real.read(onBytes, range);
      },
    };
    await expect(setting.submit({ source, streams: 1 })).rejects.toMatchObject({
      code: 'file_unreadable',
      message: `${setting.path} was changed while it was sent; send it again`,
    });
    await real.close();
    expect(await counted(setting.server)).toBe(0);
  }));

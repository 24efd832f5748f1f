/** The load share as operators see it: loads give way while many ask, and by a setting always. */
import { expect, test } from 'vitest';
import { interrupt, killNow, readmeQuestion, start, until, withFolder, type Running } from './support.js';

const share = async (url: string): Promise<number> => {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^fairway_load_share_percent (\S+)$/m.exec(text)?.[1]);
};
const ask = async (url: string): Promise<void> => {
  const answers = Array.from({ length: 100 }, async () => (await fetch(url + readmeQuestion)).text());
  await Promise.all(answers);
};

/** One with the share it has by default, and one with a fixed share, over one database. */
const withBoth = (work: (byItself: string, fixed: string) => Promise<void>): Promise<void> =>
  withFolder(async (data) => {
    const env = { FAIRWAY_DATA_DIR: data };
    const all: Running[] = [await start(env)];
    try {
      all.unshift(await start({ ...env, FAIRWAY_LOAD_SHARE: '20' }, ['serve']));
      const [fixed, byItself] = all.map(({ url }) => url);
      await work(byItself ?? '', fixed ?? '');
      for (const running of all) expect(await interrupt(running)).toBe(0);
    } finally {
      // Where the test failed they still run.
      for (const { child } of all)
        if (child.exitCode === null && child.signalCode === null) killNow(child.pid);
    }
  });

test('by default loads have all they can get until many ask, and again when they have stopped', () =>
  withBoth(async (byItself, fixed) => {
    expect([await share(byItself), await share(fixed)]).toEqual([100, 20]);
    const asked = async (): Promise<boolean> => {
      await Promise.all([ask(byItself), ask(fixed)]);
      return (await share(byItself)) < 100;
    };
    await until(asked, 60_000, 'loads give way');
    expect(await share(fixed)).toBe(20);
    await until(async () => (await share(byItself)) === 100, 60_000, 'loads are at full speed again');
    expect(await share(fixed)).toBe(20);
  }));

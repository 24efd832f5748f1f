/** The load share as operators see it: loads give way while many ask, and by a setting always. */
import { expect, test } from 'vitest';
import { interrupt, readmeQuestion, start, until, withFolder } from './support.js';

const share = async (url: string): Promise<number> => {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^fairway_load_share_percent (\S+)$/m.exec(text)?.[1]);
};
const ask = async (url: string): Promise<void> => {
  const answers = Array.from({ length: 100 }, async () => (await fetch(url + readmeQuestion)).text());
  await Promise.all(answers);
};

test('by default loads have all they can get until many ask, and again when they have stopped', () =>
  withFolder(async (data) => {
    const env = { FAIRWAY_DATA_DIR: data };
    const byItself = await start(env);
    const fixed = await start({ ...env, FAIRWAY_LOAD_SHARE: '20' }, ['serve']);
    expect([await share(byItself.url), await share(fixed.url)]).toEqual([100, 20]);
    const asked = async (): Promise<boolean> => {
      await Promise.all([ask(byItself.url), ask(fixed.url)]);
      return (await share(byItself.url)) < 100;
    };
    await until(asked, 60_000, 'loads give way');
    expect(await share(fixed.url)).toBe(20);
    await until(async () => (await share(byItself.url)) === 100, 60_000, 'loads are at full speed again');
    expect(await share(fixed.url)).toBe(20);
    for (const running of [fixed, byItself]) await interrupt(running);
  }));

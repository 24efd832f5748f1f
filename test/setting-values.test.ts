import { expect, test } from 'vitest';
import { loadConfig, packageRoot } from '../src/config.js';

const loadShare = (text?: string): unknown => {
  const env = text === undefined ? {} : { FAIRWAY_LOAD_SHARE: text };
  return loadConfig({ env, root: packageRoot, cwd: '/' }).config.loadShare;
};

test('the load share is auto, by default as well, or a percent', () => {
  expect(loadShare()).toBe('auto');
  expect(loadShare('auto')).toBe('auto');
  expect([loadShare('1'), loadShare('20'), loadShare('100')]).toEqual([1, 20, 100]);
  for (const wrong of ['0', '101', '1000', '-1', '2.5', '20 %', 'Auto'])
    expect(() => loadShare(wrong)).toThrow(
      `FAIRWAY_LOAD_SHARE: '${wrong}' is neither 'auto' nor a whole number from 1 to 100`,
    );
});

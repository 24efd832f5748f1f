import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  accessibilityFaults,
  answerWith,
  launch,
  overhang,
  picture,
  visit,
  type Visit,
} from './browser-support.js';
import { interrupt, run, start, withFolder } from './support.js';

let browser: Browser;
let url = '';
let stop = async (): Promise<void> => undefined;

beforeAll(async () => {
  browser = await launch();
  await new Promise<void>((resolve, reject) => {
    const serving = withFolder(async (data) => {
      const running = await start({ FAIRWAY_DATA_DIR: data });
      url = running.url;
      await new Promise<void>((end) => {
        stop = async () => {
          end();
          await serving;
        };
        resolve();
      });
      await interrupt(running);
    });
    serving.catch(reject);
  });
});

afterAll(async () => {
  await browser?.close();
  await stop();
});

const open = (path: string, work: (visit: Visit) => Promise<void>, options = {}): Promise<void> =>
  visit(browser, { baseURL: url, ...options }, async (visited) => {
    await visited.page.goto(path);
    await work(visited);
  });

const days = 'date_from=2021-01-01&date_to=2021-01-31';
const asked = `/?origin=CNGGZ&destination=EETLL&${days}`;

/** Days with a rate, withheld and without a price, in every combination that the chart treats differently. */
const gaps = {
  rates: Array.from({ length: 31 }, (_, index) => ({
    day: `2021-01-${String(31 - index).padStart(2, '0')}`,
    count: [3, 4, 2, null, 3, 1, 1][index % 7] ?? null,
    price: [1_184.5, 1_201, null, null, 1_190.25, null, null][index % 7] ?? null,
  })),
};

const unknownPlace = {
  code: 'place_unknown',
  detail: "there is no place 'Guangzou'",
  errors: [
    {
      parameter: 'origin',
      message: "there is no port or region 'Guangzou'",
      suggestions: [{ kind: 'port', code: 'CNGGZ', name: 'Guangzhou' }],
    },
  ],
};

test('the form asks, draws a chart, and has the same figures as a table', () =>
  open('/', async ({ page, complaints }) => {
    expect(await page.locator('#result').isVisible()).toBe(false);
    await page.getByRole('button', { name: 'Show rates' }).click();
    await page.getByRole('img', { name: /^Chart of the average price per day\. 31 of 31 days/ }).waitFor();
    expect(await page.locator('#chart .point').count()).toBe(31);
    expect(await page.locator('#chart .line').count()).toBe(1);
    expect(page.url()).toBe(`${url}${asked}`);
    await page.getByText('The figures, day by day').click();
    const rows = page
      .getByRole('table', { name: 'Average price per day, CNGGZ to EETLL' })
      .locator('tbody tr');
    expect(await rows.count()).toBe(31);
    expect(await rows.first().innerText()).toMatch(/^2021-01-31\s+1,184\.33\s+3$/);
    expect(await page.getByRole('status').innerText()).toContain('31 of 31 days have a rate. Lowest 1,');
    expect(await page.locator('#revision').innerText()).toMatch(/revision \d+/);
    expect(await page.locator('#command').innerText()).toBe(
      `curl '${url}/rates?origin=CNGGZ&destination=EETLL&${days}'`,
    );
    expect(complaints).toEqual([]);
  }));

test('what the policy refuses is noticed by these tests', () =>
  open('/', async ({ page, complaints }) => {
    const heard = page.waitForEvent('console');
    await page.evaluate(() => document.body.setAttribute('style', 'color: red'));
    await heard;
    expect(complaints).toEqual([expect.stringContaining('Content Security Policy')]);
  }));

test('the address holds the question: it can be shared, and back and forward work', () =>
  open(asked, async ({ page }) => {
    await page.locator('#chart svg').waitFor();
    await page.getByLabel('First day').fill('2021-01-20');
    await page.getByLabel('Last day').press('Enter');
    await page.getByText('12 of 12 days').first().waitFor();
    await page.goBack();
    await page.getByText('31 of 31 days').first().waitFor();
    expect(await page.getByLabel('First day').inputValue()).toBe('2021-01-01');
    await page.goForward();
    await page.getByText('12 of 12 days').first().waitFor();
    expect(await page.getByLabel('First day').inputValue()).toBe('2021-01-20');
  }));

test('a fault of the service stands at its field, which gets the focus', () =>
  open('/', async ({ page, complaints }) => {
    await page.getByLabel('First day').fill('');
    await page.getByRole('button', { name: 'Show rates' }).click();
    await page.locator('#date_from-fault').waitFor();
    const field = page.getByLabel('First day');
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    expect(await field.getAttribute('aria-describedby')).toBe('date_from-fault');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('date_from');
    expect(await page.locator('#date_from-fault').innerText()).toMatch(/^Is missing; expected: a date/);
    await field.fill('2021-01-01');
    await page.getByRole('button', { name: 'Show rates' }).click();
    await page.locator('#chart svg').waitFor();
    expect(await page.locator('.fault').count()).toBe(0);
    expect(complaints).toEqual([]);
  }));

test('near matches of an unknown place are buttons that ask again', () =>
  open('/', async ({ page }) => {
    await page.route(/\/rates\?origin=Guangzou/, answerWith(404, unknownPlace));
    await page.getByLabel('From', { exact: true }).fill('Guangzou');
    await page.getByRole('button', { name: 'Show rates' }).click();
    await page.getByText("There is no port or region 'Guangzou'.").waitFor();
    await picture(page, 'error');
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.getByRole('button', { name: 'Guangzhou (CNGGZ)' }).click();
    await page.locator('#chart svg').waitFor();
    expect(page.url()).toBe(`${url}${asked}`);
  }));

test('suggestions are chosen by keyboard, by pointer, or left alone', () =>
  open('/', async ({ page }) => {
    const port = { code: 'CNGGZ', name: 'Guangzhou', parent: 'pearl_river_delta' };
    const region = { slug: 'guangdong', name: 'Guangdong', parent: 'china_south' };
    await page.route('**/ports?*', answerWith(200, { ports: [port], revision: 1 }));
    await page.route('**/regions?*', answerWith(200, { regions: [region], revision: 1 }));
    const field = page.getByRole('combobox', { name: 'From' });
    const option = (name: RegExp) => page.getByRole('option', { name });
    await field.fill('gua');
    await option(/Guangzhou/).waitFor();
    expect(await field.getAttribute('aria-expanded')).toBe('true');
    expect(await accessibilityFaults(page)).toEqual([]);
    await field.press('ArrowDown');
    await field.press('ArrowDown');
    expect(await option(/Guangdong/).getAttribute('aria-selected')).toBe('true');
    await field.press('Enter');
    expect(await field.inputValue()).toBe('guangdong');
    expect(await page.locator('#origin-hint').innerText()).toBe('Guangdong, region in china south');
    await field.fill('gu');
    await option(/Guangzhou/).click();
    expect(await field.inputValue()).toBe('CNGGZ');
    await field.fill('gu');
    await option(/Guangzhou/).waitFor();
    await field.press('Escape');
    expect(await field.getAttribute('aria-expanded')).toBe('false');
    expect(await field.inputValue()).toBe('gu');
    await field.fill('gua');
    await option(/Guangzhou/).waitFor();
    await field.press('Enter');
    expect(await field.getAttribute('aria-expanded')).toBe('false');
    await page.waitForURL(/origin=gua&/);
  }));

test('a day without a rate is a gap, a lone day a point, and what is withheld is said', () =>
  open('/', async ({ page }) => {
    await page.route('**/rates?*', answerWith(200, gaps, { 'rates-revision': '7' }));
    await page.getByRole('button', { name: 'Show rates' }).click();
    await page.locator('#chart svg').waitFor();
    expect(await page.locator('#chart .line').count()).toBe(5);
    expect(await page.locator('#chart .point').count()).toBe(14);
    expect(await page.locator('#chart .withheld').count()).toBe(13);
    expect(await page.locator('#summary').innerText()).toContain('On 13 days the rate is withheld');
    expect(await page.locator('#revision').innerText()).toContain('revision 7');
    const box = await page.locator('#chart svg').boundingBox();
    await page.mouse.move((box?.x ?? 0) + (box?.width ?? 0) - 20, (box?.y ?? 0) + 50);
    expect(await page.locator('.readout').innerText()).toMatch(/^31\sJan\s2021: 1,184\.50 from 3 prices$/);
    await picture(page, 'gaps');
  }));

test('a service that is away is said plainly, and asking again works', () =>
  open('/', async ({ page, complaints }) => {
    await page.route('**/rates?*', (route) => route.abort());
    await page.getByRole('button', { name: 'Show rates' }).click();
    await page.getByRole('alert').getByText('No answer from the service').waitFor();
    await page.unroute('**/rates?*');
    const away = { detail: 'the database cannot be reached', code: 'database_unavailable' };
    await page.route('**/rates?*', answerWith(503, away, { 'retry-after': '1' }));
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('cannot answer just now: the database cannot be reached').waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.unroute('**/rates?*');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.locator('#chart svg').waitFor();
    expect(await page.getByRole('alert').isVisible()).toBe(false);
    expect(complaints).toEqual([]);
  }));

test('where questions need a key the page asks for one, and shows it with each from then on', () =>
  withFolder(async (data) => {
    const running = await start({ FAIRWAY_DATA_DIR: data, FAIRWAY_READ_KEYS: 'required' });
    try {
      const made = await run(['keys', 'create', '--name', 'desk', '--scope', 'read'], {
        FAIRWAY_DATA_DIR: data,
      });
      await visit(browser, { baseURL: running.url }, async ({ page, complaints }) => {
        await page.goto(asked);
        await page.getByText('Rates are shown here to those who have an API key.').waitFor();
        await picture(page, 'key');
        expect(await accessibilityFaults(page)).toEqual([]);
        const give = async (key: string): Promise<void> => {
          await page.getByLabel('API key', { exact: true }).fill(key);
          await page.getByRole('button', { name: 'Ask with this key' }).click();
        };
        await give('fairway_wrong');
        await page.getByText(/not known/).waitFor();
        await give(made.stdout.trim());
        await page
          .getByRole('img', { name: /^Chart of the average price per day\. 31 of 31 days/ })
          .waitFor();
        expect(await page.locator('#access').isVisible()).toBe(false);
        expect(await page.locator('#command').innerText()).toContain(
          '-H "Authorization: Bearer $FAIRWAY_API_KEY"',
        );
        // Names of places come with the key as well; so does all after a reload.
        await page.reload();
        await page.getByRole('heading', { name: /Guangzhou/ }).waitFor();
        expect(complaints).toEqual([]);
      });
    } finally {
      await interrupt(running);
    }
  }));

test('without JavaScript the form leads to the answer itself', () =>
  open(
    '/',
    async ({ page }) => {
      await page.getByRole('button', { name: 'Show rates' }).click();
      await page.waitForURL(/\/rates\?origin=CNGGZ/);
      expect(await page.locator('body').innerText()).toMatch(/^\{"rates":\[\{"count":3,"day":"2021-01-31"/);
    },
    { javaScriptEnabled: false },
  ));

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [320, 768, 1280]) {
    test(`no fault of accessibility and no sideways scrolling: ${colorScheme}, ${width} pixels wide`, () =>
      open(
        asked,
        async ({ page, complaints }) => {
          await page.locator('#chart svg').waitFor();
          await page.getByText('The figures, day by day').click();
          await picture(page, `answer-${width}-${colorScheme}`);
          expect(await accessibilityFaults(page)).toEqual([]);
          expect(await overhang(page)).toBe(0);
          await page.goto('/docs');
          await page.getByRole('heading', { name: 'GET /rates', exact: true }).waitFor();
          await picture(page, `docs-${width}-${colorScheme}`);
          expect(await accessibilityFaults(page)).toEqual([]);
          expect(await overhang(page)).toBe(0);
          expect(complaints).toEqual([]);
        },
        { colorScheme, viewport: { width, height: 800 } },
      ));
  }
}

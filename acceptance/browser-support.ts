/** A browser on the pages of the real program. Everything a page complains about is written down. */
import { mkdirSync } from 'node:fs';
import axe from 'axe-core';
import { chromium, type Browser, type BrowserContextOptions, type Page, type Route } from 'playwright-core';

const words = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const launch = (): Promise<Browser> =>
  chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args: words });

export interface Visit {
  page: Page;
  /** What the console, failed scripts and the content security policy said. */
  complaints: string[];
}

/** Opens a page, and closes it after the work whatever happens. */
export async function visit(
  browser: Browser,
  options: BrowserContextOptions,
  work: (visit: Visit) => Promise<void>,
): Promise<void> {
  const context = await browser.newContext(options);
  try {
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    // A request that the service refuses is no fault of the page; the browser writes a line all the same.
    page.on('console', (message) => {
      if (/error|warning/.test(message.type()) && !message.text().startsWith('Failed to load resource'))
        complaints.push(message.text());
    });
    await work({ page, complaints });
  } finally {
    await context.close();
  }
}

/** Answers as the service would, at the level of the network. */
export const answerWith =
  (status: number, body: object, headers: Record<string, string> = {}) =>
  (route: Route): Promise<void> =>
    route.fulfill({
      status,
      headers,
      contentType: status < 400 ? 'application/json' : 'application/problem+json',
      body: JSON.stringify(body),
    });

/** What axe finds wrong for people with disabilities: rule, and the elements it is about. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run());
  return violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`,
  );
}

/** How far the page is wider than its window, in CSS pixels. */
export const overhang = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** With FAIRWAY_TEST_SCREENSHOTS=FOLDER, pictures of what a test saw, for people to look at. */
export async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env['FAIRWAY_TEST_SCREENSHOTS'];
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}

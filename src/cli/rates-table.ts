/** The table of `fairway rates`: in go rates and the width of the terminal, out comes text. Pure. */

export interface RateLine {
  count: number | null;
  day: string;
  price: number | null;
  /** By name. */
  [statistic: string]: number | string | null;
}

const dim = '\x1b[2m';
const blue = '\x1b[34m';
const plain = '\x1b[0m';
const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const narrowest = 8;

/** A line per day, oldest first; bars are as long as the price is above zero, the highest price as wide as there is room. */
export function ratesTable(rates: readonly RateLine[], columns: number, colour: boolean): string {
  if (rates.length === 0) return 'no days: --from lies after --to\n';
  const days = rates.toReversed();
  const statistics = Object.keys(days[0] ?? {}).filter((name) => !['count', 'day', 'price'].includes(name));
  const figure = (value: unknown): string => (typeof value === 'number' ? value.toFixed(2) : '–');
  const figures = [
    column(
      'price',
      days.map(({ price }) => figure(price)),
    ),
    ...statistics.map((name) =>
      column(
        name,
        days.map((rate) => figure(rate[name])),
      ),
    ),
    column(
      'items',
      days.map(({ count }) => String(count ?? 0)),
    ),
  ];
  const taken = figures.reduce((sum, { width }) => sum + 2 + width, 10);
  const room = columns - taken - 2 - 1;
  const highest = Math.max(...days.map((rate) => rate.price ?? 0));
  const paint = (code: string, text: string): string =>
    colour && text !== '' ? `${code}${text}${plain}` : text;
  const lines = days.map((rate, index) => {
    const cells = [rate.day, ...figures.map(({ cells }) => cells[index] ?? '')].join('  ');
    if (rate.price === null) return paint(dim, cells);
    return room < narrowest ? cells : `${cells}  ${paint(blue, bar((rate.price / highest) * room))}`;
  });
  const note = days.some((rate) => rate.price === null && rate.count !== null)
    ? [paint(dim, '– fewer than 3 items: the price is withheld')]
    : [];
  const heading = ['day'.padEnd(10), ...figures.map(({ name }) => name)].join('  ');
  return [heading, ...lines, ...note, ''].join('\n');
}

/** Right-aligned, the name above its cells. */
function column(name: string, texts: readonly string[]): { name: string; cells: string[]; width: number } {
  const width = Math.max(name.length, ...texts.map(({ length }) => length));
  return { name: name.padStart(width), cells: texts.map((text) => text.padStart(width)), width };
}

const bar = (length: number): string =>
  '█'.repeat(Math.floor(length)) + (eighths[Math.floor((length % 1) * 8)] ?? '');

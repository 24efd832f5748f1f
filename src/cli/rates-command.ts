/** The words of `fairway rates`. */
import { Option } from 'commander';
import type { Context } from './context.js';
import { apiKey, json, url, type AddCommand } from './options.js';
import { runRates, type RatesFlags } from './rates.js';

export function addRatesCommand(command: AddCommand, context: Context): void {
  command(
    'rates',
    'ask the service for the average price per day between two places, or between several pairs',
    'fairway rates CNGGZ EETLL --from 2021-01-01 --to 2021-01-31',
    'fairway rates china north_europe --from 2021-01-01 --to 2021-01-31 --stats median,p25,p75',
    'fairway rates --lane CNGGZ:EETLL --lane china:north_europe --from 2021-01-01 --to 2021-01-31 --format csv',
    'fairway rates --lanes lanes.csv --from 2021-01-01 --to 2021-01-31 --as-of 41 --json',
  )
    .argument('[origin]', 'code of a port or slug of a region')
    .argument('[destination]', 'code of a port or slug of a region')
    .requiredOption('--from <day>', 'first day, YYYY-MM-DD')
    .requiredOption('--to <day>', 'last day, YYYY-MM-DD')
    .addOption(
      new Option('--lane <origin:destination>', 'also this lane; may be repeated')
        .argParser((word: string, before: string[]) => [...before, word])
        .default([], 'none'),
    )
    .option('--lanes <file>', 'also those of a file, ORIGIN,DESTINATION a line, or - for standard input')
    .option('--stats <names>', 'also these, with commas: avg, min, max, median, p2.5, p25, p75, p97.5')
    .option('--as-of <revision>', 'as it was at this revision')
    .option('--min-revision <revision>', 'as of this revision or a later one')
    .addOption(url())
    .addOption(apiKey())
    .addOption(
      new Option('--format <format>', 'what is printed')
        .choices(['table', 'csv', 'json'])
        .conflicts(['json', 'csv']),
    )
    .addOption(json().conflicts('csv'))
    .option('--csv', 'print CSV')
    .action((origin: string | undefined, destination: string | undefined, flags: RatesFlags) =>
      runRates(
        context,
        [origin, destination].filter((end) => end !== undefined),
        flags,
      ),
    );
}

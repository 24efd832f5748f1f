/** The command line as a table of contents: a command each, its words here, its work in a file of its own. */
import { Command, CommanderError, Option } from 'commander';
import {
  apiKey,
  databaseUrl,
  dataDir,
  host,
  json,
  port,
  role,
  seedOption,
  url,
  type AddCommand,
} from './options.js';
import { processContext, type ConfigFlags, type Context } from './context.js';
import { reportError } from './report-error.js';
import { runBatches, runWithdraw } from './batches.js';
import { showConfig } from './config.js';
import { runErrors } from './faults.js';
import { runImport } from './import.js';
import { runKeysCreate, runKeysList, runKeysRevoke } from './keys.js';
import { runMigrate } from './migrate.js';
import { runRollup, runVerify } from './rollup.js';
import { addRatesCommand } from './rates-command.js';
import { runSample, type SampleFlags } from './sample.js';
import { runService } from './service.js';
import { runSubmit, type SubmitFlags } from './submit.js';
import { formats } from './submit/format.js';
import { exitCodes } from '../errors.js';

const exitHelp = `
Exit codes: 0 done, 1 failed, 2 wrong use, 3 rejected, 4 not reachable or to be tried again.`;

const example = (...lines: string[]): string =>
  `\nExample${lines.length > 1 ? 's' : ''}:\n${lines.map((line) => `  ${line}`).join('\n')}`;

function build(): Command {
  const context = processContext();
  const program = new Command('fairway')
    .description('Freight rates: batches land whole or not at all, averages per day come at once.')
    .addHelpText(
      'after',
      `${example('fairway up', 'fairway rates CNGGZ EETLL --from 2021-01-01 --to 2021-01-31')}\n${exitHelp}`,
    )
    .showHelpAfterError("('fairway --help' lists the commands, 'fairway COMMAND --help' explains one)");
  const command: AddCommand = (name, description, ...examples) =>
    program
      .command(name)
      .description(description)
      .addHelpText('after', example(...examples));
  addServiceCommands(command, context);
  addDatabaseCommands(command, context);
  addRollupCommands(command, context);
  addKeyCommands(command, context);
  addSubmitCommand(command, context);
  addBatchCommands(command, context);
  addQuestionCommands(command, context);
  return program;
}

function addServiceCommands(command: AddCommand, context: Context): void {
  command(
    'up',
    'start everything: database, migrations, sample data, service',
    'fairway up --port 3001 --data-dir second',
  )
    .addOption(port())
    .addOption(host())
    .addOption(role())
    .addOption(dataDir())
    .addOption(seedOption())
    .addOption(databaseUrl())
    .action((flags: ConfigFlags) => runService(context, flags, true));
  command(
    'serve',
    'serve from a database that has been migrated',
    'DATABASE_URL=postgresql://fairway@db/rates fairway serve --host 0.0.0.0',
    'fairway serve --role read --port 3001',
  )
    .addOption(port())
    .addOption(host())
    .addOption(role())
    .addOption(dataDir())
    .addOption(databaseUrl())
    .action((flags: ConfigFlags) => runService(context, flags, false));
}

function addDatabaseCommands(command: AddCommand, context: Context): void {
  command(
    'migrate',
    'bring the database up to date; adopts public.ports, prices and regions loaded with psql',
    'fairway migrate',
    'FAIRWAY_SERVICE_ROLE=fairway_service FAIRWAY_SERVICE_PASSWORD_FILE=password fairway migrate --seed none',
  )
    .addOption(dataDir())
    .addOption(seedOption())
    .addOption(databaseUrl())
    .addOption(json())
    .action((flags: ConfigFlags & { json?: boolean }) => runMigrate(context, flags));
  command(
    'import',
    'import a dump of pg_dump’s plain format, all or nothing',
    'fairway import rates.sql',
    'fairway import newer.sql --replace',
    'gunzip -c rates.sql.gz | fairway import -',
  )
    .argument('<file>', 'the dump, or - for standard input')
    .option('--replace', 'withdraw what is published and publish this instead, in one revision')
    .addOption(dataDir())
    .addOption(databaseUrl())
    .addOption(json())
    .action((file: string, flags: ConfigFlags & { json?: boolean; replace?: boolean }) =>
      runImport(context, file, flags),
    );
}

function addRollupCommands(command: AddCommand, context: Context): void {
  command(
    'rollup',
    'bring the rollups, which questions are answered from, up to date; the service does it by itself',
    'fairway rollup',
    'fairway rollup --rebuild',
  )
    .option('--rebuild', 'compare all of them with the items, and write those that are missing or wrong')
    .addOption(dataDir())
    .addOption(databaseUrl())
    .addOption(json())
    .action((flags: Parameters<typeof runRollup>[1]) => runRollup(context, flags));
  command(
    'verify',
    'recompute from the items what questions are answered from, and compare; changes nothing',
    'fairway verify',
    'fairway verify --json',
  )
    .addOption(dataDir())
    .addOption(databaseUrl())
    .addOption(json())
    .action((flags: Parameters<typeof runVerify>[1]) => runVerify(context, flags));
}

function addKeyCommands(command: AddCommand, context: Context): void {
  const keys = command(
    'keys',
    'make, list and revoke API keys; connects to the database itself',
    "fairway keys create --name 'Acme prices' --scope ingest --scope withdraw",
    'fairway keys list',
    'fairway keys revoke 3',
  );
  const part = (name: string, description: string): Command =>
    keys
      .command(name)
      .description(description)
      .addOption(dataDir())
      .addOption(databaseUrl())
      .addOption(json());
  part('create', 'make a key and print it; it is not shown again')
    .requiredOption('--name <name>', 'whose key it is')
    .addOption(
      new Option('--scope <scope...>', 'what it may do: read, ingest, withdraw, admin').makeOptionMandatory(),
    )
    .action((flags: Parameters<typeof runKeysCreate>[1]) => runKeysCreate(context, flags));
  part('list', 'list the keys').action((flags: ConfigFlags) => runKeysList(context, flags));
  part('revoke', 'revoke a key for good')
    .argument('<id>', 'its number in the list')
    .action((id: string, flags: ConfigFlags) => runKeysRevoke(context, id, flags));
}

function addSubmitCommand(command: AddCommand, context: Context): void {
  command(
    'submit',
    'send a batch of prices: all of it is published, or every fault is printed and none is; cut off, the same command goes on',
    'fairway submit prices.csv',
    'fairway submit prices.csv.gz --key 2021-01-31/asia --replace 41',
    'fairway submit prices.ndjson --dry-run',
    'fairway sample --items 1000000 | fairway submit -',
  )
    .argument('<file>', 'CSV, NDJSON or JSON, plain or packed with gzip; - for standard input')
    .option(
      '--key <key>',
      'Idempotency-Key: the same once more finds its verdict; made at random if not given',
    )
    .option('--replace <id>', 'withdraw that batch in the same revision')
    .option('--dry-run', 'the verdict and what would change; nothing is published')
    .option('--items <number>', 'how many items there must be')
    .addOption(new Option('--format <format>', 'what it is, if not to be recognised').choices(formats))
    .option(
      '--streams <number>',
      'parts sent at a time where the file is large: CSV or NDJSON above 64 MB',
      '4',
    )
    .option('--whole', 'send it in one request, however large it is')
    .option('--patience <seconds>', 'how long to go on trying while nothing gets through', '600')
    .option('--all', 'print every fault that is kept, not the first 100')
    .addOption(url())
    .addOption(apiKey())
    .addOption(json())
    .action((file: string, flags: SubmitFlags) => runSubmit(context, file, flags));
}

function addBatchCommands(command: AddCommand, context: Context): void {
  const part: AddCommand = (name, description, ...examples) =>
    command(name, description, ...examples)
      .addOption(url())
      .addOption(apiKey());
  part(
    'batches',
    'list batches, the newest first, or show one',
    'fairway batches --state rejected',
    'fairway batches 42',
  )
    .argument('[id]', 'number of a batch')
    .addOption(
      new Option('--state <state>', 'only these').choices(['loading', 'published', 'rejected', 'withdrawn']),
    )
    .option('--limit <number>', 'at most so many', '20')
    .addOption(json())
    .action((id: string | undefined, flags: Parameters<typeof runBatches>[2]) =>
      runBatches(context, id, flags),
    );
  part(
    'errors',
    'print the faults of a rejected batch, all that are kept',
    'fairway errors 42',
    'fairway errors 42 --csv > faults.csv',
  )
    .argument('<id>', 'number of the batch')
    .addOption(json().conflicts('csv'))
    .option('--csv', 'print CSV')
    .action((id: string, flags: Parameters<typeof runErrors>[2]) => runErrors(context, id, flags));
  part(
    'withdraw',
    'take a batch out of the answers, in a new revision; a repeat says the same',
    'fairway withdraw 42',
  )
    .argument('<id>', 'number of the batch')
    .addOption(json())
    .action((id: string, flags: Parameters<typeof runWithdraw>[2]) => runWithdraw(context, id, flags));
}

function addQuestionCommands(command: AddCommand, context: Context): void {
  addRatesCommand(command, context);
  command(
    'sample',
    'print sample data, the same for the same words',
    'fairway sample --items 1000000 --seed 7 > prices.csv',
  )
    .option('--items <number>', 'how many prices', '50000')
    .option('--seed <number>', 'another seed, other data', '1')
    .addOption(
      new Option('--format <format>', 'csv, or a dump that psql and import take')
        .choices(['csv', 'dump'])
        .default('csv'),
    )
    .option('--from <day>', 'first day, YYYY-MM-DD')
    .option('--to <day>', 'last day, YYYY-MM-DD')
    .action((flags: SampleFlags) => runSample(context, flags));
  command(
    'config',
    'print each setting, its value and where it came from',
    'FAIRWAY_PORT=3001 fairway config',
  )
    .addOption(json())
    .action((flags: { json?: boolean }) => showConfig(context, flags));
}

/** Runs the command line; resolves with the exit code. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const program = build();
  for (const each of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)])
    each.exitOverride();
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitCodes.done;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    return reportError(error, argv.includes('--json'), process.stderr);
  }
}

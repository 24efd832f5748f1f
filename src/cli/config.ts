/** `fairway config`: each setting, its value, where it came from; secrets redacted. */
import { configure, type Context } from './context.js';
import { settings } from '../settings.js';
import { databaseVariables } from '../database/connection.js';

export function showConfig(context: Context, flags: { json?: boolean }): void {
  const { config, origins } = configure(context);
  const rows = settings.map(({ name, key, secret, explanation }) => {
    const value = config[key];
    return {
      name,
      value: value === undefined ? null : secret ? redact(String(value)) : value,
      origin: origins[key].origin,
      from: origins[key].detail,
      explanation,
    };
  });
  const libpq = [...databaseVariables, 'PGPORT', 'PGUSER', 'PGDATABASE', 'PGPASSWORD'].filter(
    (name) => context.env[name],
  );
  if (flags.json) {
    const named = Object.fromEntries(
      libpq.map((name) => [name, name === 'PGPASSWORD' ? '***' : context.env[name]]),
    );
    context.stdout.write(`${JSON.stringify({ settings: rows, libpq: named }, null, 2)}\n`);
    return;
  }
  const width = Math.max(...rows.map((row) => row.name.length));
  for (const row of rows) {
    context.stdout.write(
      `${row.name.padEnd(width)}  ${row.value ?? '(none)'}  [${row.origin}${row.origin === 'file' ? `: ${row.from}` : ''}]\n`,
    );
    context.stdout.write(`${' '.repeat(width)}  ${row.explanation}\n`);
  }
  for (const name of libpq)
    context.stdout.write(
      `${name.padEnd(width)}  ${name === 'PGPASSWORD' ? '***' : context.env[name]}  [environment]\n`,
    );
}

/** Hides a secret; of a URL, only its password, and keeps what helps to recognise it. */
function redact(text: string): string {
  if (!URL.canParse(text)) return '***';
  const url = new URL(text);
  if (url.password) url.password = '***';
  for (const name of new Set(url.searchParams.keys()))
    if (/pass|secret|key/i.test(name)) url.searchParams.set(name, '***');
  return url.toString();
}

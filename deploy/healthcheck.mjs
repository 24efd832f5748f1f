// Asks the service in this container whether it is `live` or `ready`. Exits with 0 or 1; says why not.
const { FAIRWAY_PORT = '3000' } = process.env;
const url = `http://127.0.0.1:${FAIRWAY_PORT}/health/${process.argv[2] ?? 'live'}`;
try {
  const answer = await fetch(url, { signal: AbortSignal.timeout(4000) });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
} catch (error) {
  process.stdout.write(`${url}: ${error.cause?.message ?? error.message}\n`);
  process.exitCode = 1;
}

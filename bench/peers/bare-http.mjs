// Peer (a): bare node:http, always the same answer. What this machine, this client and HTTP allow at the most.
import { createServer } from 'node:http';

process.once('message', ({ body, headers }) => {
  const bytes = Buffer.from(body);
  const all = { ...headers, 'content-length': String(bytes.length) };
  const server = createServer((_request, response) => {
    response.writeHead(200, all);
    response.end(bytes);
  }).listen(0, '127.0.0.1', () => process.send({ url: `http://127.0.0.1:${server.address().port}` }));
});
process.once('disconnect', () => process.exit());

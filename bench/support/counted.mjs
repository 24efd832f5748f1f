// A client that sends a body over one kept connection and counts what comes: of a large answer in chunks it reads the
// status and the end, and lets the rest go. What `node:http` takes for one is told in docs/decisions/0008-many-answers.md.
import { once } from 'node:events';
import { connect } from 'node:net';

const bufferBytes = 1 << 20;
/** Of an answer in chunks. */
const end = '0\r\n\r\n';

/** `post(path, body)`: the status, and how many bytes came with head and chunks. One at a time. */
export async function countingClient(url) {
  const { hostname, port, host } = new URL(url);
  const buffer = Buffer.allocUnsafeSlow(bufferBytes);
  let came = () => undefined;
  const socket = connect({
    host: hostname,
    port: Number(port),
    noDelay: true,
    onread: { buffer, callback: (bytes) => came(bytes) ?? true },
  });
  await once(socket, 'connect');
  const post = (path, body) =>
    new Promise((resolve, reject) => {
      let [status, bytes, last] = [0, 0, ''];
      came = (length) => {
        if (bytes === 0) status = Number(buffer.latin1Slice(9, 12));
        bytes += length;
        last = (last + buffer.latin1Slice(Math.max(0, length - end.length), length)).slice(-end.length);
        // A refusal does not come in chunks.
        if (status === 200 && last !== end) return;
        socket.off('close', gone);
        resolve({ status, bytes });
      };
      const gone = () => reject(new Error(`the connection ended after ${bytes} bytes of an answer`));
      socket.once('close', gone);
      const head = [
        `POST ${path} HTTP/1.1`,
        `Host: ${host}`,
        'Content-Type: application/json',
        `Content-Length: ${Buffer.byteLength(body)}`,
      ];
      socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
    });
  return { post, close: () => socket.destroy() };
}

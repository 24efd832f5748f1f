/** `Buffer.readUIntBE` checks its arguments each time; a month of a lane has up to 62 numbers, a segment hundreds. */
export function bigEndian(bytes: Buffer, start: number, width: number): number {
  let value = 0;
  for (let index = start; index < start + width; index++) value = value * 256 + (bytes[index] ?? 0);
  return value;
}

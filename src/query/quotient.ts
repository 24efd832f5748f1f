/**
 * A quotient as the digits that `String(dividend / divisor)` has, the fewest that no other number in double precision is
 * nearer to, written straight into bytes. In go two numbers and where it is to stand, out comes where it ends. Pure but for the bytes.
 * Source: Steele and White, How to Print Floating-Point Numbers Accurately (1990), free-format generation. Here it takes
 * no large integers: from 64 on the fraction has 46 bits at the most, and a thousand times that is still exact.
 */

const [least, limit] = [64, 1e9];
const [point, zero] = [46, 48];

/** A 1 and so many zeros after it than the digits of three steps. */
const digitsAtOnce = 1e9;

/** Half of the distance to the next number, by the exponent, after the first nine digits. */
const tolerances = Float64Array.from({ length: 31 }, (_, exponent) => 2 ** (exponent - 53) * digitsAtOnce);

const threeDigits = Uint8Array.from({ length: 3_000 }, (_, index) => {
  const number = Math.floor(index / 3);
  return zero + (Math.floor(number / 10 ** (2 - (index % 3))) % 10);
});

/**
 * Where it ends; -1 where it is left to `String`: outside of 64 to a thousand million. Divided in here: a fraction that is
 * handed over is an object each time, and garbage.
 */
export function writeQuotient(bytes: Uint8Array, start: number, dividend: number, divisor: number): number {
  const quotient = dividend / divisor;
  if (!(quotient >= least && quotient < limit)) return -1;
  const whole = quotient | 0;
  let at = writeWhole(bytes, start, whole);
  let rest = quotient - whole;
  if (rest === 0) return at;
  bytes[at++] = point;
  for (let step = 0; step < 3; step++) {
    rest *= 1_000;
    const three = rest | 0;
    rest -= three;
    bytes[at] = threeDigits[three * 3] ?? 0;
    bytes[at + 1] = threeDigits[three * 3 + 1] ?? 0;
    bytes[at + 2] = threeDigits[three * 3 + 2] ?? 0;
    at += 3;
  }
  let tolerance = tolerances[31 - Math.clz32(whole)] ?? 0;
  if (rest <= tolerance || rest >= 1 - tolerance) {
    // Nine digits, or fewer, are the number already: again, one by one.
    at -= 9;
    rest = quotient - whole;
    tolerance /= digitsAtOnce;
  }
  for (;;) {
    rest *= 10;
    tolerance *= 10;
    const digit = rest | 0;
    rest -= digit;
    // `1 - tolerance` is rounded, `1 - rest` never where it matters.
    if (rest >= tolerance && 1 - rest >= tolerance) {
      bytes[at++] = zero + digit;
      continue;
    }
    // Right between two.
    if (rest === 0.5) return -1;
    // Nothing is carried: above 9 the digit before would have been the last one.
    bytes[at++] = zero + (rest > 0.5 ? digit + 1 : digit);
    return at;
  }
}

/** A whole number below a thousand million. */
export function writeWhole(bytes: Uint8Array, start: number, number: number): number {
  let end = start + 1;
  for (let power = 10; power <= number; power *= 10) end++;
  for (let at = end - 1; at > start; at--) {
    const tenth = (number / 10) | 0;
    bytes[at] = zero + number - tenth * 10;
    number = tenth;
  }
  bytes[start] = zero + number;
  return end;
}

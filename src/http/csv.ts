/** Fields of CSV. Source: RFC 4180. */

/** As it stands in a line: quoted where it has to be. */
export const csvField = (text: string): string =>
  /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;

/** What values of settings may look like: in goes text, out comes the value; what does not fit throws, without the setting's name. Pure. */
import { resolve } from 'node:path';

export const wholeNumber = (low: number, high: number) => (text: string) => {
  if (!/^[0-9]{1,9}$/.test(text) || Number(text) < low || Number(text) > high) {
    throw new Error(`'${text}' is not a whole number from ${low} to ${high}`);
  }
  return Number(text);
};

export const seconds = (low: number, high: number) => (text: string) => {
  if (!/^[0-9]{1,4}(\.[0-9]{1,3})?$/.test(text) || Number(text) < low || Number(text) > high) {
    throw new Error(`'${text}' is not a number of seconds from ${low} to ${high}`);
  }
  return Number(text);
};

export const days = (low: number, high: number) => (text: string) => {
  if (!/^[0-9]{1,5}(\.[0-9]{1,6})?$/.test(text) || Number(text) < low || Number(text) > high) {
    throw new Error(`'${text}' is not a number of days from ${low} to ${high}`);
  }
  return Number(text);
};

export const hours = (low: number, high: number) => (text: string) => {
  if (!/^[0-9]{1,4}(\.[0-9]{1,6})?$/.test(text) || Number(text) < low || Number(text) > high) {
    throw new Error(`'${text}' is not a number of hours from ${low} to ${high}`);
  }
  return Number(text);
};

export const loadPercent = (text: string): number | 'auto' => {
  if (text === 'auto') return text;
  if (!/^0*([1-9][0-9]?|100)$/.test(text)) {
    throw new Error(`'${text}' is neither 'auto' nor a whole number from 1 to 100`);
  }
  return Number(text);
};

const levels: readonly string[] = ['auto', 'silent', 'error', 'warn', 'info', 'debug'];

export const levelName = (text: string): string => {
  if (!levels.includes(text)) throw new Error(`'${text}' is none of ${levels.join(', ')}`);
  return text;
};

const roles: readonly string[] = ['all', 'read', 'ingest'];

export const processRole = (text: string): string => {
  if (!roles.includes(text)) throw new Error(`'${text}' is none of ${roles.join(', ')}`);
  return text;
};

const readKeysNames: readonly string[] = ['optional', 'required'];

export const readKeysName = (text: string): string => {
  if (!readKeysNames.includes(text)) throw new Error(`'${text}' is none of ${readKeysNames.join(', ')}`);
  return text;
};

export const hostName = (text: string): string => {
  if (!/^[A-Za-z0-9._:%-]+$/.test(text)) throw new Error(`'${text}' is not an address or host name`);
  return text;
};

export const webAddress = (text: string): string => {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
    throw new Error(`'${text}' is not an http:// or https:// address`);
  }
  return text.replace(/\/+$/, '');
};

export const databaseAddress = (text: string): string => {
  if (!/^postgres(ql)?:\/\//.test(text) || !URL.canParse(text)) {
    throw new Error('it does not have the form postgresql://user:password@host:port/database');
  }
  return text;
};

export const roleName = (text: string): string => {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(text)) {
    throw new Error(`'${text}' is not a role's name of small letters, digits and underscores`);
  }
  return text;
};

/** Never repeated in a message. */
export const asciiSecret = (text: string): string => {
  if (!/^[\x21-\x7e]+$/.test(text)) throw new Error('it may hold letters, digits and signs of ASCII only');
  return text;
};

export const seedName = (text: string, { base }: { base: string }): string =>
  text === 'sample' || text === 'none' ? text : resolve(base, text);

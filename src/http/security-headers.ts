/** Headers that tell browsers what not to do with an answer. Source: OWASP Secure Headers Project. */
export const securityHeaders = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  // Data runs nothing and lies in no frame; pages have a policy of their own.
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
};

import { expect, test } from 'vitest';
import { withoutSecrets } from './without-secrets.ts';

test.for([
  ['cannot connect to https://me:secret@host:1/x', 'cannot connect to https://host:1/x'],
  ['GET https://b.s3.example.com/k?X-Amz-Signature=abc&x=1 failed', 'GET https://b.s3.example.com/k?... failed'],
  ['sent Authorization: Bearer abcdefghijkl', 'sent Authorization: ...'],
  ['the server said no to Basic dXNlcjpwYXNzd29yZA==', 'the server said no to Basic ...'],
  ['connect ECONNREFUSED 127.0.0.1:80', 'connect ECONNREFUSED 127.0.0.1:80'],
] as const)('%s', ([message, shown]) => {
  expect(withoutSecrets(message)).toBe(shown);
});

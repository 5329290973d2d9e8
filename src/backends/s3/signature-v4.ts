/**
 * AWS Signature Version 4. The body is signed over plain HTTP; within TLS it need not be, which saves hashing it: `UNSIGNED-PAYLOAD`.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { CredentialSource } from './credentials.ts';
import type { RequestSigner, SignableRequest } from './signer.ts';

export interface SignatureV4Options {
  readonly credentials: CredentialSource;
  readonly region: string;
  readonly signBody: boolean;
  /** For tests. */
  readonly now?: () => Date;
}

export function signatureV4({ credentials, region, signBody, now = () => new Date() }: SignatureV4Options): RequestSigner {
  const signer = new SignatureV4({
    service: 's3',
    region,
    credentials: () => credentials.get(),
    sha256: Sha256,
    // S3 alone signs the path as it is sent.
    uriEscapePath: false,
  });
  return {
    async sign(request: SignableRequest): Promise<Record<string, string>> {
      const { protocol, hostname } = new URL(`http://${request.host}`);
      const signed = await signer.sign(
        {
          method: request.method,
          protocol,
          hostname,
          path: request.path,
          query: { ...request.query },
          headers: {
            ...request.headers,
            host: request.host,
            'x-amz-content-sha256': signBody ? bodyHash(request.body) : 'UNSIGNED-PAYLOAD',
          },
        },
        { signingDate: now() },
      );
      return signed.headers;
    },
  };
}

function bodyHash(body: readonly Uint8Array[] | undefined): string {
  const hash = createHash('sha256');
  for (const part of body ?? []) hash.update(part);
  return hash.digest('hex');
}

/** What the signer wants of a hash: SHA-256, or with a secret its HMAC. */
class Sha256 {
  readonly #digest: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#digest = secret === undefined ? createHash('sha256') : createHmac('sha256', toBytes(secret));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#digest.update(toBytes(data));
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#digest.digest());
  }

  reset(): void {
    throw new Error('a digest is used once');
  }
}

function toBytes(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data, 'utf8');
  return data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

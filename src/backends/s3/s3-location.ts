/** Where a bucket is: storage URLs of the S3 family (S3QL behaviour 1.3) to host, bucket, prefix and style of address. */
import { UserError } from '../../util/errors.ts';

const AWS_BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,60}[a-z0-9]$/;
const AWS_REGION = /^[a-z0-9-]+$/;

/** DNS suffixes of AWS partitions that are not amazonaws.com, by the beginning of the region's name. */
const AWS_PARTITIONS: readonly (readonly [string, string])[] = [
  ['cn-', 'amazonaws.com.cn'],
  ['eusc-', 'amazonaws.eu'],
  ['us-iso-', 'c2s.ic.gov'],
  ['us-isob-', 'sc2s.sgov.gov'],
];

export interface S3Location {
  /** `http://host[:port]` or `https://...`, without the bucket. */
  readonly origin: string;
  readonly bucket: string;
  /** Precedes every key. */
  readonly prefix: string;
  /** Requests go to the host with the bucket in the host name, not in the path. The host name in `origin` has it. */
  readonly virtualHost: boolean;
}

/** `s3://<region>/<bucket>[/<prefix>]`. @throws UserError with exit code 2 */
export function parseAwsUrl(url: string): { readonly region: string; readonly bucket: string; readonly prefix: string } {
  const match = /^s3:\/\/([^/]+)\/([^/]+)(?:\/(.*))?$/.exec(url);
  const [, region = '', bucket = '', prefix = ''] = match ?? [];
  if (match === null || !AWS_REGION.test(region)) {
    throw new UserError(
      `Invalid storage URL "${url}": it must look like s3://<region>/<bucket>/<prefix>, e.g. s3://eu-central-1/my-bucket/backup.`,
      2,
    );
  }
  if (!AWS_BUCKET_NAME.test(bucket))
    throw new UserError(`Invalid bucket name "${bucket}": Amazon S3 allows lower-case letters, digits, "-" and ".".`, 2);
  return { region, bucket, prefix };
}

/** Virtual-host style, except for buckets with a dot in their name: Amazon's TLS certificate does not fit those. */
export function awsLocation(region: string, bucket: string, prefix: string, secure: boolean): S3Location {
  const suffix = AWS_PARTITIONS.find(([start]) => region.startsWith(start))?.[1] ?? 'amazonaws.com';
  const endpoint = `s3.${region}.${suffix}`;
  const virtualHost = !bucket.includes('.');
  return { origin: `${secure ? 'https' : 'http'}://${virtualHost ? `${bucket}.` : ''}${endpoint}`, bucket, prefix, virtualHost };
}

/** `s3c://<host>[:<port>]/<bucket>[/<prefix>]` and `s3c4://`. Virtual-host style if the host's name begins with the bucket's. @throws UserError */
export function parseCompatibleUrl(url: string, secure: boolean): S3Location {
  const match = /^(s3c4?):\/\/([^/]+)\/([^/]+)(?:\/(.*))?$/.exec(url);
  const [, scheme = 's3c4', host = '', bucket = '', prefix = ''] = match ?? [];
  const origin = `${secure ? 'https' : 'http'}://${host}`;
  if (match === null || !URL.canParse(origin) || host.includes('@')) {
    throw new UserError(`Invalid storage URL "${url}": it must look like ${scheme}://<host>[:<port>]/<bucket>/<prefix>.`, 2);
  }
  const endpoint = new URL(origin);
  return { origin: endpoint.origin, bucket, prefix, virtualHost: endpoint.hostname.startsWith(`${bucket}.`) };
}

/** `b2://<bucket>[/<prefix>]`. @throws UserError */
export function parseB2Url(url: string): { readonly bucket: string; readonly prefix: string } {
  const match = /^b2:\/\/([^/]+)(?:\/(.*))?$/.exec(url);
  const [, bucket = '', prefix = ''] = match ?? [];
  if (!/^[A-Za-z0-9-]{6,63}$/.test(bucket)) {
    throw new UserError(
      `Invalid storage URL "${url}": it must look like b2://<bucket>/<prefix>; a bucket's name has letters, digits and "-".`,
      2,
    );
  }
  return { bucket, prefix };
}

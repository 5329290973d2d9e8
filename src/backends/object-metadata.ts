/**
 * The outer metadata of an object: a small mapping that a store keeps beside the payload (reference: S3QL format 2.5).
 * Numbers are integers. How it is written (local file header, HTTP headers, JSON) is each backend's business.
 */
export type MetadataValue = string | number | boolean | null | Uint8Array;
export type ObjectMetadata = Readonly<Record<string, MetadataValue>>;

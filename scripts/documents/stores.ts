/** docs/stores.md: what people need to know of each store. Syntax and options come from the stores' own tables; a store without a text here is an error. */
import type { BackendFactory } from '../../src/backends/backend-factory.ts';

interface StoreText {
  readonly title: string;
  /** One line of the overview: what it is for. */
  readonly summary: string;
  /** How it was proved to work, in short. */
  readonly proved: string;
  readonly example: string;
  /** Paragraphs: credentials, what is special, what it can do. */
  readonly about: readonly string[];
}

const S3_TABLE = `| provider | storage URL |
| --- | --- |
| Ceph, MinIO, Garage, SeaweedFS, Swift's s3api | \`s3c4://HOST:PORT/BUCKET/PREFIX\` |
| Wasabi | \`s3c4://s3.REGION.wasabisys.com/BUCKET/PREFIX\`, option \`sig-region=REGION\` |
| Cloudflare R2 | \`s3c4://ACCOUNT.r2.cloudflarestorage.com/BUCKET/PREFIX\`, option \`sig-region=auto\` |
| DigitalOcean Spaces | \`s3c4://REGION.digitaloceanspaces.com/BUCKET/PREFIX\` |
| Storj | \`s3c4://gateway.storjshare.io/BUCKET/PREFIX\` |
| Scaleway | \`s3c4://s3.REGION.scw.cloud/BUCKET/PREFIX\`, option \`sig-region=REGION\` |
| OVHcloud | \`s3c4://s3.REGION.io.cloud.ovh.net/BUCKET/PREFIX\`, option \`sig-region=REGION\` |
| Hetzner | \`s3c4://LOCATION.your-objectstorage.com/BUCKET/PREFIX\`, option \`sig-region=LOCATION\` |
| Google, with HMAC keys | \`s3c4://storage.googleapis.com/BUCKET/PREFIX\`; \`gs://\` can do more |
| Backblaze | \`b2://BUCKET/PREFIX\` |`;

const KEYSTONE_LOGIN =
  'The login is `PROJECT:USER`, or the user alone if the project is the only one. Without the option `domain` Keystone version 2 is spoken; with it version 3, where projects and domains are ids unless the options ending in `-is-name` say otherwise. A token that expires is replaced without anybody noticing.';

const TEXTS: Readonly<Record<string, StoreText>> = {
  local: {
    title: 'A directory',
    summary: 'a disk, or a network file system that is mounted: NFS, CIFS, sshfs',
    proved: 'real: ext4, tmpfs when full, sshfs',
    example: 'local:///mnt/backup/s3ql',
    about: [
      'An object is a file. It is written under a temporary name, synced, renamed, and its directory synced before it counts as stored; what a crash left under temporary names fsck.s3ql removes.',
      'Where the mount cannot make hard links (sshfs without them, CIFS, FAT), an object cannot be created on condition that it is not there yet.',
      'Mount sshfs with `-o dir_cache=no,entry_timeout=0,attr_timeout=0`: what it remembers of a directory makes an object that is being replaced look missing, and one that another machine stored too.',
    ],
  },
  s3: {
    title: 'Amazon S3',
    summary: 'Amazon',
    proved:
      'strict: a server of our own that checks every signature, reached by Amazon’s names over TLS through a proxy; answers as documented by Amazon',
    example: 's3://eu-central-1/my-bucket/backup/',
    about: [
      'Login and password are access key id and secret access key. Without them the credentials are those that Amazon’s own tools would use: environment, profile, SSO, web identity, container or instance role; temporary ones are renewed.',
      'The region must be that of the bucket; if it is another one, the error names it. Objects are checked by signature and TLS, not by their ETag, so encryption by KMS works.',
    ],
  },
  s3c4: {
    title: 'Whatever speaks the S3 interface',
    summary: 'Ceph, MinIO, Wasabi, R2, Storj and others',
    proved: 'real: the S3 interface of OpenStack Swift; strict: a server of our own that checks signatures',
    example: 's3c4://minio.example.com:9000/my-bucket/backup/',
    about: [
      'Signatures of version 4. The bucket is in the path, unless the host’s name begins with it (`BUCKET.host`). Whether the store keeps conditions (If-None-Match, If-Match) is found out when it is opened; listings of version 1 and the lack of multiple deletion are noticed as they are met. What differs between providers is one table, `src/backends/s3/s3-quirks.ts`.',
      S3_TABLE,
    ],
  },
  s3c: {
    title: 'Old stores with the S3 interface',
    summary: 'stores that know signatures of version 2 only',
    proved: 'real: the S3 interface of OpenStack Swift; strict: a server of our own that checks signatures',
    example: 's3c://ceph.example.com/my-bucket/backup/',
    about: ['As `s3c4://`, with signatures of version 2, listings of version 1 and one request for each deletion, as S3QL has it.'],
  },
  b2: {
    title: 'Backblaze B2',
    summary: 'Backblaze',
    proved: 'strict: as s3://, by Backblaze’s names; the answers of its account service as documented',
    example: 'b2://my-bucket/backup/',
    about: [
      'Login and password are the id and the secret of an application key with the capabilities listBuckets, listFiles, readFiles, writeFiles and deleteFiles. The account tells where its S3 endpoint is. Objects that older S3QL stored by the native interface are read.',
    ],
  },
  gs: {
    title: 'Google Cloud Storage',
    summary: 'Google',
    proved:
      'strict: a server of our own after Google’s documentation, with its token service, reached by Google’s names over TLS through a proxy',
    example: 'gs://my-bucket/backup/',
    about: [
      '| login | password | |\n| --- | --- | --- |\n| `oauth2` | refresh token | for the client of the option `oauth-client` |\n| `service-account` | path of the key file | |\n| `adc`, or none | | whatever Google’s tools would use |',
      'Objects of both of S3QL’s metadata layouts are read. Conditions are kept by generation numbers.',
    ],
  },
  swift: {
    title: 'OpenStack Swift, login of version 1',
    summary: 'Swift with tempauth or an own login',
    proved: 'real: OpenStack Swift with tempauth',
    example: 'swift://swift.example.com/container/backup/',
    about: [
      'Login and password are user (often `account:user`) and key. What the store can do (bulk deletion, sizes of metadata) is asked at `/info`.',
      'Swift’s servers agree on a new object only after a while: the conditions of HTTP are not relied upon.',
    ],
  },
  swiftks: {
    title: 'OpenStack Swift, login by Keystone',
    summary: 'OpenStack clouds',
    proved: 'real: OpenStack Swift with OpenStack Keystone (version 3); recorded: Keystone version 2',
    example: 'swiftks://keystone.example.com:5000/RegionOne:container/backup/',
    about: [KEYSTONE_LOGIN],
  },
  rackspace: {
    title: 'Rackspace',
    summary: 'Rackspace Cloud Files',
    proved: 'recorded: the login, by Rackspace’s name over TLS; real behind it: OpenStack Swift',
    example: 'rackspace://DFW/container/backup/',
    about: [`\`swiftks://\` at Rackspace’s own Keystone. ${KEYSTONE_LOGIN}`],
  },
  azure: {
    title: 'Azure Blob Storage',
    summary: 'Azure',
    proved:
      'real: Azurite (account key, shared access signature, Entra’s tokens over TLS); recorded: Entra’s and the machines’ token services',
    example: 'azure://myaccount/container/backup/',
    about: [
      '| login | password | |\n| --- | --- | --- |\n| `key`, or the account’s name | account key | |\n| `sas` | shared access signature | for the container, with permissions racwdl |\n| `client-secret` | secret of an Entra application | options `tenant-id` and `client-id`; role "Storage Blob Data Contributor" |\n| `workload-identity` | | as Kubernetes sets it up: `AZURE_FEDERATED_TOKEN_FILE`, `AZURE_CLIENT_ID`, `AZURE_TENANT_ID` |\n| `managed-identity` | | of the machine; option `client-id` for one of several |\n| `default`, or none | | what the environment says (`AZURE_STORAGE_KEY`, `AZURE_STORAGE_SAS_TOKEN`, `AZURE_CLIENT_SECRET`, a workload’s token file), else `az login`, else the machine’s identity |',
      'Objects are block blobs in the access tier that the account has set. Metadata is in `x-ms-meta-s3ql_*`.',
    ],
  },
  sftp: {
    title: 'SSH servers',
    summary: 'any machine one can log in to by SSH',
    proved: 'real: OpenSSH',
    example: 'sftp://backup@nas.example.com/srv/s3ql',
    about: [
      'The system’s ssh makes the connection: agent, keys, known_hosts, jump hosts and all that `~/.ssh/config` says work as at the prompt. The host’s key must be known (log in once by hand). `sftp://host/~/path` is below the home directory. A password is the user’s, or with `identity-file` the key’s passphrase; it is handed to ssh in an environment variable, never in its arguments. The user may stand in the URL or be the login.',
      'The layout is that of `local://`: what is stored by one can be mounted by the other.',
    ],
  },
  webdav: {
    title: 'WebDAV',
    summary: 'Nextcloud, Apache, Hetzner storage boxes, rclone serve',
    proved: 'real: Apache mod_dav (Digest and Basic), rclone serve webdav (Basic)',
    example: 'webdav://nas.example.com/remote.php/dav/files/user/s3ql',
    about: [
      'Over TLS, unless the option `no-ssl` says otherwise. Login and password are sent by Digest where the server offers it, else by Basic. The collection must be there; `%20` and the like may be written in its path. The layout is that of `local://`.',
      'Servers may delete the target of a MOVE before they move: while one object replaces another it waits under a name that ends in `.new`, where readers find it; fsck.s3ql completes what a crash interrupted. An object cannot be created on condition: Apache refuses a PUT with `If-None-Match: *` for what is there, but of twenty at the same moment up to twenty succeeded; LOCK and MOVE are no better, and rclone ignores the header. WebDAV has no word for durability: an object is as safe as the server’s answer.',
    ],
  },
};

const INTRODUCTION = `# Stores

Where a file system can live. \`s3ql check-store URL\` finds out what a store can do and how fast it is, before anything depends on it.

Login, password and options go into \`~/.s3ql/authinfo2\`:

\`\`\`ini
[my store]
storage-url: s3c4://minio.example.com/
backend-login: access key
backend-password: secret key
backend-options: no-ssl, tcp-timeout=60
\`\`\`

HTTP stores use the proxies of \`http_proxy\`, \`https_proxy\` and \`no_proxy\`, and trust the certificate authorities of the system.`;

const CAPABILITIES = `## What they can do

S3QL needs none of this: it asks the store and finds another way.

| | create on condition | replace on condition | range | delete many | copy |
| --- | --- | --- | --- | --- | --- |
| \`local\` | with hard links | | yes | | |
| \`s3\` | yes | yes | yes | 1000 | yes |
| \`s3c4\` | found out | found out | yes | 1000 | yes |
| \`s3c\` | found out | found out | yes | | yes |
| \`b2\` | | | yes | 1000 | yes |
| \`gs\` | yes | yes | yes | | yes |
| \`swift\`, \`swiftks\`, \`rackspace\` | | | yes | as \`/info\` says | yes |
| \`azure\` | yes | yes | yes | 256 | yes |
| \`sftp\` | with hard links | | yes | | |
| \`webdav\` | | | yes | | yes |

With both conditions two machines that begin a mount at the same moment notice each other at once.

## How they were proved

*Real*: against the software itself, which the tests install and start. *Strict*: against a server of our own that keeps to the provider’s
documentation and refuses what the provider would refuse. *Recorded*: requests and answers as documented. Every store passes one conformance suite
(\`tests/backends/conformance.ts\`), and carries a file system that is filled, unmounted, mounted with an empty cache and compared
(\`tests/system/stores.test.ts\`).`;

/** @throws Error for a store without a text, or a text without a store */
export function storesPage(factories: readonly BackendFactory[]): string {
  const entries = factories.map((factory) => ({ factory, text: textFor(factory.scheme) }));
  const unknown = Object.keys(TEXTS).filter((scheme) => !factories.some((factory) => factory.scheme === scheme));
  if (unknown.length > 0) throw new Error(`there is no store ${unknown.join(', ')}`);
  const overview = entries.map(({ factory, text }) => `| \`${factory.scheme}://\` | ${text.summary} | ${text.proved} |`);
  return [
    INTRODUCTION,
    '',
    '| | for | proved |',
    '| --- | --- | --- |',
    ...overview,
    '',
    CAPABILITIES,
    '',
    ...entries.map(({ factory, text }) => section(factory, text)),
  ].join('\n');
}

function textFor(scheme: string): StoreText {
  const text = TEXTS[scheme];
  if (text === undefined) throw new Error(`scripts/documents/stores.ts says nothing of ${scheme}://`);
  return text;
}

function section({ scheme, urlSyntax, options }: BackendFactory, { title, example, about }: StoreText): string {
  const rows = Object.entries(options).map(
    ([name, { takesValue, description }]) => `| \`${name}${takesValue ? '=...' : ''}\` | ${description} |`,
  );
  return [
    `## ${scheme}://: ${title}`,
    '',
    `\`${urlSyntax}\`, e.g. \`${example}\``,
    '',
    ...about.flatMap((paragraph) => [paragraph, '']),
    ...(rows.length === 0 ? ['It has no options.'] : ['| option | |', '| --- | --- |', ...rows]),
    '',
  ].join('\n');
}

/**
 * The tables of a file system of revision 26, exactly as S3QL has them (reference: S3QL format 2.8): same names, affinities and
 * constraints, because S3QL must be able to open what we write and the other way round.
 *
 * Rules that hold for all tables after every commit:
 * - names, targets, xattr values and digests are BLOBs; a TEXT value would not be found by a look-up with bytes;
 * - foreign keys are declared but not enforced; the code keeps them;
 * - `refcount` columns are exact counts of the rows they speak of;
 * - ids of AUTOINCREMENT tables are never used twice (`sqlite_sequence` remembers the highest);
 * - no index exists beside those of PRIMARY KEY and UNIQUE, except `ix_contents_inode` while mounted for NFS.
 */
const COMMENTED_SCHEMA = `
CREATE TABLE objects (                        -- stored blocks; rows are created after the object is in the store
    id        INTEGER PRIMARY KEY AUTOINCREMENT, -- n of the object's key s3ql_data_n; from 1
    hash      BLOB(32) UNIQUE,                -- SHA-256 of the plaintext; NULL: S3QL failed to upload it
    refcount  INT NOT NULL,                   -- rows of inode_blocks that name this object; at 0 the row goes
    phys_size INT NOT NULL,                   -- stored bytes as the back end counts them; -1: not uploaded (S3QL only)
    length    INT NOT NULL                    -- plaintext bytes, at most the data block size
);
CREATE TABLE inodes (
    id        INTEGER PRIMARY KEY AUTOINCREMENT, -- inode number; 1 root, 2 control file, 3 lost+found
    uid       INT NOT NULL,
    gid       INT NOT NULL,
    mode      INT NOT NULL,                   -- st_mode: permissions and file type; the type never changes
    mtime_ns  INT NOT NULL,                   -- nanoseconds since 1970, signed 64 bits
    atime_ns  INT NOT NULL,
    ctime_ns  INT NOT NULL,
    refcount  INT NOT NULL,                   -- rows of contents that name this inode, for directories too; root 1, control file 42;
                                              -- 0: deleted but still open, or left by a crash and to be purged
    size      INT NOT NULL DEFAULT 0,         -- bytes, up to 2^63-1; symbolic links: bytes of the target
    rdev      INT NOT NULL DEFAULT 0,         -- device number of block and character devices
    locked    BOOLEAN NOT NULL DEFAULT 0      -- 1: immutable (s3qllock)
);
CREATE TABLE inode_blocks (                   -- which object holds which block of which file
    inode     INTEGER NOT NULL REFERENCES inodes(id),
    blockno   INT NOT NULL,                   -- byte offset / data block size; no row: a hole, reads as zeros
    obj_id    INTEGER NOT NULL REFERENCES objects(id), -- an object shorter than the block is followed by zeros
    PRIMARY KEY (inode, blockno)
);
CREATE TABLE symlink_targets (
    inode     INTEGER PRIMARY KEY REFERENCES inodes(id),
    target    BLOB NOT NULL
);
CREATE TABLE names (                          -- file names and xattr names, each once
    id        INTEGER PRIMARY KEY,            -- readdir order; may be used again
    name      BLOB NOT NULL,                  -- any bytes but / and NUL in file names
    refcount  INT NOT NULL,                   -- rows of contents and ext_attributes with this name; at 0 the row goes
    UNIQUE (name)
);
CREATE TABLE contents (                       -- directory entries, without . and ..
    rowid     INTEGER PRIMARY KEY AUTOINCREMENT,
    name_id   INT NOT NULL REFERENCES names(id),
    inode     INT NOT NULL REFERENCES inodes(id),
    parent_inode INT NOT NULL REFERENCES inodes(id), -- a directory; the root has no entry of its own
    UNIQUE (parent_inode, name_id)
);
CREATE TABLE ext_attributes (
    inode     INTEGER NOT NULL REFERENCES inodes(id),
    name_id   INTEGER NOT NULL REFERENCES names(id), -- full name with its namespace, e.g. user.comment
    value     BLOB NOT NULL,
    PRIMARY KEY (inode, name_id)
);
CREATE VIEW contents_v AS
    SELECT * FROM contents JOIN names ON names.id = name_id;
CREATE VIEW ext_attributes_v AS
    SELECT * FROM ext_attributes JOIN names ON names.id = name_id;
`;

/** The statements that create all tables and views; comments are stripped because SQLite would store them in the database. */
export const SCHEMA_SQL: string = COMMENTED_SCHEMA.replace(/ *--.*$/gm, '').replace(/^ *\n/gm, '');

/** Bytes of a database page: SQLite's default, and what S3QL uses. */
export const PAGE_SIZE_BYTES: number = 4096;

/** Index that `mount --nfs` wants, for finding the parent of an inode. */
export const PARENT_INDEX: string = 'ix_contents_inode';

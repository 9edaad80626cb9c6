/** Every bound of this folder in one place. What exceeds one is refused by name, never cut short. */
const KIB = 1024;
const MIB = 1024 * KIB;

export const MAX_BLOB_BYTES = 32 * MIB;
export const MAX_COMMIT_BYTES = 1 * MIB;
export const MAX_TREE_BYTES = 16 * MIB;
export const MAX_TAG_BYTES = 1 * MIB;
/** What one call of blobs() may return together. */
export const MAX_BATCH_BYTES = 1024 * MIB;
/** Requests written to cat-file before their answers are awaited. */
export const BATCH_REQUESTS = 1_000;

export const MAX_RANGE_COMMITS = 100_000;
/** Commits read by one walk of our own (reachability, first parents). */
export const MAX_WALK_COMMITS = 1_000_000;
/** Commits that a reachability question may read before git is asked for a quick no. */
export const SHORT_WALK_COMMITS = 200;
export const MAX_CACHED_COMMITS = 20_000;
/** Commits of a push that are found by walking; longer ranges are listed by git. */
export const SHORT_RANGE_COMMITS = 500;
/** Heads of which some ancestors are remembered. */
export const MAX_REMEMBERED_LINES = 1_000;
/** First parents that are read together with a commit, in the time of about one; four times as many with the next. */
export const FIRST_AHEAD_COMMITS = 64;
export const MAX_COMMIT_PARENTS = 64;
export const MAX_TAG_DEPTH = 5;
/** Steps of all `~N` of one revision together. */
export const MAX_ANCESTRY_STEPS = 100_000;

/** Entries of a whole tree, folders counted too: a tree of empty trees is a bomb without a single file. */
export const MAX_TREE_ENTRIES = 200_000;
export const MAX_TREE_DEPTH = 100;
export const MAX_PATH_BYTES = 4_096;
export const MAX_CACHED_TREES = 50_000;
export const MAX_CACHED_LISTINGS = 8;
/** Pairs of commits whose merged tree is remembered. */
export const MAX_CACHED_MERGES = 1_000;

export const MAX_REF_FILE_BYTES = 4 * KIB;
export const MAX_REF_NAME_BYTES = 1_024;
export const MAX_PACKED_REFS_BYTES = 64 * MIB;
export const MAX_SYMBOLIC_REFS = 5;
export const MAX_REF_DEPTH = 32;
/** Directory entries that one listing of loose references may look at. */
export const MAX_REF_ENTRIES = 200_000;
/** Approvals of a source that a gate looks at. */
export const MAX_APPROVAL_REFS = 10_000;
/** Fetches that one look at them may cost; about ten refused ones can be told apart from any number of good ones. */
export const MAX_APPROVAL_FETCHES = 40;
/** Times that the same one is asked for, in fetches that follow one another. */
export const MAX_APPROVAL_REFUSALS = 3;
export const MAX_CONFIG_BYTES = 1 * MIB;
export const MAX_ALTERNATES = 16;
/** git itself stops following alternates at this depth. */
export const MAX_ALTERNATES_DEPTH = 5;

export const MAX_STDERR_BYTES = 4 * KIB;
export const MAX_ANSWER_LINE_BYTES = 512;
export const MAX_VERSION_BYTES = 1 * KIB;
/** 65 bytes an id in SHA-256, and one commit too many so that the bound can be seen. */
export const MAX_RANGE_OUTPUT_BYTES = (MAX_RANGE_COMMITS + 1) * 65;
export const MAX_MERGE_OUTPUT_BYTES = 16 * MIB;

export const QUICK_DEADLINE_MS = 60_000;
export const MERGE_DEADLINE_MS = 60_000;
export const FETCH_DEADLINE_MS = 600_000;
/** Longest silence of cat-file while it owes an answer. */
export const ANSWER_DEADLINE_MS = 60_000;

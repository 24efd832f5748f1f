/** The stages of an upload, of a batch in parts and of collecting, between which a test can look in, hold or cut. */

export type Stage =
  | 'opened'
  | 'reading'
  | 'part read'
  | 'part loading'
  | 'part loaded'
  | 'read'
  | 'publishing'
  | 'before head'
  | 'rejecting'
  | 'before commit'
  | 'after commit'
  | 'abandoning'
  | 'answering'
  | 'renewing the lease'
  | 'marked dead'
  | 'segments removed'
  | 'collected';

/** Called at each stage where it is given, and waited for; what it throws is thrown there. */
export type Reach = (stage: Stage) => Promise<void> | void;

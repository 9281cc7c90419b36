/** Characters that the beginning of an id must have to stand for it: a shorter one may be meant for anything. */
export const leastOfId = 4;

/** Stands for the id of the session that was active last, or of the run that was started last. */
export const latest = 'latest';

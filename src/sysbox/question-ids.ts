/** The question whether plain containers get Sysbox too: asked by the step `daemon`, read by `docker`. */
export const defaultRuntimeId = 'daemon.default-runtime';

/** The question whether another version replaces the installed one: asked by the step `sysbox`, read by `host`. */
export const upgradeId = 'sysbox.upgrade';

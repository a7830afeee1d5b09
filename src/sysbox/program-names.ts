/** The command that is the runtime: Docker's name for the runtime is the same (its package registers it so). */
export const runcName = 'sysbox-runc';
export const programNames = [runcName, 'sysbox-mgr', 'sysbox-fs'] as const;
export type ProgramName = (typeof programNames)[number];

/** The runbook's steps by name, in their order: what the command line has to know before the steps themselves are loaded. */
export const stepNames = ['host', 'sysbox', 'daemon', 'docker', 'ci', 'functional', 'security', 'record'] as const;

export type StepName = (typeof stepNames)[number];

/** Those that `test` runs. */
export const proofNames: readonly StepName[] = ['functional', 'security'];

/** A step's name, as in `--only NAME`. */
export type StepId = string;

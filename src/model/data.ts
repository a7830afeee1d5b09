import type * as z from 'zod';

/** Whatever JSON can hold. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** Plain data, read only down to its last field. Where anything may stand, it ends: `Json` has no last field. */
type Immutable<T> = z.core.util.JSONType extends T ? Json : { readonly [K in keyof T]: Immutable<T[K]> };

/** What a schema parses to: nobody changes what was logged, shown or approved. */
export type DataOf<Schema extends z.ZodType> = Immutable<z.infer<Schema>>;

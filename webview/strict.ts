// Imported first: zod then compiles no code at run time, which the page's content policy forbids anyway.
import * as z from 'zod';

z.config({ jitless: true });

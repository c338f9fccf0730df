/** The entry of a resampling thread. */
import { serve } from "../threads/serve.ts";
import { perform } from "./jobs.ts";

serve(perform);

/** A thread that resamples. */
import { serve } from "../threads/serve.ts";
import { perform } from "./jobs.ts";

serve(perform);

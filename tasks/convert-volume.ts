/** Converts a volume to NIfTI: NRRD or MetaImage (its files, the header first), or the folder of a DICOM series. */
import { task } from "lq";
import { readDicomSeries } from "./study/volume/dicom.ts";
import { writeNifti } from "./study/volume/nifti.ts";
import { readOtherFormat } from "./study/volume/other-formats.ts";
import { warnings } from "./study/volume/reading.ts";

export default task({
  async run({ inputs, files, output, log }) {
    const [path = ""] = inputs();
    const volume = path.endsWith("/")
      ? await readDicomSeries(
          path,
          files().map((file) => file.path),
          warnings(log),
        )
      : await readOtherFormat(path);
    await writeNifti(output(), volume);
  },
});

/** A configuration of nnU-Net v2, `Dataset/Trainer__Plans__configuration`. */
export interface V2Folder {
  readonly kind: "nnunet-v2";
  readonly folder: string;
  /** `DatasetNNN_Name`, from the folder's name or from the plans. */
  readonly dataset: string | null;
  /** Null if the folder is not named so. */
  readonly configuration: string | null;
}

/** A text file of an ONNX folder. */
export interface FolderFile {
  /** With "/" between folders. */
  readonly name: string;
  readonly text: string;
}

/** Reading worksheets: the port, its engine, and the job. */
export { defaultRecognitionLimits, type RecognitionLimits } from "./RecognitionLimits.ts"
export {
  defaultRecognitionOptions,
  recognitionJob,
  type RecognitionOptions,
  RecognitionPayload
} from "./RecognitionJob.ts"
export { RecognitionSummary, RecognitionText } from "./RecognitionResult.ts"
export {
  type PageImage,
  PageUnreadable,
  RecognitionUnavailable,
  RecognizedLine,
  type Recognizer,
  TextRecognition
} from "./TextRecognition.ts"
export * as TextRecognitionTesseract from "./TextRecognitionTesseract.ts"

/** What Lectern needs on AWS, as CloudFormation and as a document, made from the code's own names. */
export { infrastructureDocument } from "./infrastructureDocument.ts"
export { type Template, templates } from "./templates.ts"

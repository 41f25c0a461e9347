/** What every adapter of AWS shares: how a client is made, and how a failed call is read. */
export * from "./AwsClient.ts"

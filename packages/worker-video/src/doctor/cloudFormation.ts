/**
 * A CloudFormation template as the describe calls would answer once it is deployed, as far as the lint looks at it.
 * Names that CloudFormation fills in are filled in here: with a resource's own name where it has one, with a parameter's
 * default or name.
 */
import { Result, Schema } from "effect"
import { Base64 } from "effect/encoding"

const Properties = Schema.Record(Schema.String, Schema.Json)

const Parameter = Schema.Struct({ Type: Schema.String, Default: Schema.optional(Schema.Json) })
const Resource = Schema.Struct({ Type: Schema.String, Properties: Schema.optional(Properties) })
const Template = Schema.Struct({
  Parameters: Schema.optional(Schema.Record(Schema.String, Parameter)),
  Resources: Schema.Record(Schema.String, Resource)
})
type Template = typeof Template.Type

/** Which property holds the name of which resource, and in which answer of which call it is listed. */
const kinds = {
  "AWS::Batch::JobDefinition": { call: "describeJobDefinitions", list: "jobDefinitions", name: "JobDefinitionName" },
  "AWS::Batch::JobQueue": { call: "describeJobQueues", list: "jobQueues", name: "JobQueueName" },
  "AWS::Batch::ComputeEnvironment": {
    call: "describeComputeEnvironments",
    list: "computeEnvironments",
    name: "ComputeEnvironmentName"
  },
  "AWS::Logs::LogGroup": { call: "describeLogGroups", list: "logGroups", name: "LogGroupName" }
} as const

const launchTemplate = "AWS::EC2::LaunchTemplate"
const nameProperties = [
  ...Object.values(kinds).map(({ name }) => name),
  "LaunchTemplateName",
  "RoleName",
  "InstanceProfileName"
]

/** The same in any account: what a template says does not depend on where it is deployed. */
const pseudoParameters: Readonly<Record<string, string>> = {
  "AWS::Partition": "aws",
  "AWS::Region": "ap-northeast-2",
  "AWS::AccountId": "000000000000",
  "AWS::URLSuffix": "amazonaws.com"
}

const Intrinsic = Schema.Record(Schema.String, Schema.Json)
const isIntrinsic = Schema.is(Intrinsic)

const isList = (value: Schema.Json): value is ReadonlyArray<Schema.Json> => Array.isArray(value)

const textOf = (value: Schema.Json): string => typeof value === "string" ? value : JSON.stringify(value)

/** `List<...>`, `CommaDelimitedList`, and either of them out of the parameter store. */
const isListType = (type: string): boolean => /(^|<)(List<|CommaDelimitedList)/.test(type)

/** Replaces what CloudFormation would fill in. */
const resolver = (template: Template) => {
  const reference = (name: string): Schema.Json => {
    const parameter = template.Parameters?.[name]
    if (parameter !== undefined) {
      const value = parameter.Default ?? name
      return isListType(parameter.Type) ? textOf(value).split(",").map((item) => item.trim()) : value
    }
    const properties = template.Resources[name]?.Properties ?? {}
    const own = nameProperties.flatMap((property) => properties[property] ?? []).at(0)
    return pseudoParameters[name] ?? (own === undefined ? name : resolve(own))
  }
  const substitute = (text: string): string =>
    text.replaceAll(/\$\{([^!}][^}]*)\}/g, (_, name: string) => textOf(reference(name.split(".")[0] ?? name)))
  const filled = (name: string, argument: Schema.Json): Schema.Json | undefined => {
    const parts = isList(argument) ? argument : [argument]
    switch (name) {
      case "Ref":
        return reference(textOf(argument))
      case "Fn::GetAtt": {
        const [resource = "", attribute = textOf(parts[1] ?? "")] = textOf(parts[0] ?? "").split(".")
        const named = reference(resource)
        const isRoleArn = attribute === "Arn" && template.Resources[resource]?.Type === "AWS::IAM::Role"
        return isRoleArn ? `arn:aws:iam::${pseudoParameters["AWS::AccountId"]}:role/${textOf(named)}` : named
      }
      case "Fn::Base64":
        return resolve(argument)
      case "Fn::Sub":
        return substitute(textOf(parts[0] ?? ""))
      case "Fn::Join": {
        const joined = resolve(parts[1] ?? [])
        return (isList(joined) ? joined : [joined]).map(textOf).join(textOf(parts[0] ?? ""))
      }
      default:
        return name.startsWith("Fn::") ? name : undefined
    }
  }
  const resolve = (value: Schema.Json): Schema.Json => {
    if (isList(value)) return value.map(resolve)
    if (!isIntrinsic(value)) return value
    const entries = Object.entries(value)
    const [only] = entries
    const filledIn = entries.length === 1 && only !== undefined ? filled(...only) : undefined
    return filledIn ?? Object.fromEntries(entries.map(([key, inner]) => [key, resolve(inner)]))
  }
  return resolve
}

/** CloudFormation takes numbers as text and text as numbers; an answer has each as what it is. */
const numbers: ReadonlySet<string> = new Set([
  "Attempts",
  "AttemptDurationSeconds",
  "DesiredvCpus",
  "MaxTimeSeconds",
  "MaxvCpus",
  "Memory",
  "MinvCpus",
  "Order",
  "Priority",
  "RetentionInDays",
  "Vcpus"
])
const texts: ReadonlySet<string> = new Set(["OnExitCode", "Value"])

const asTyped = (key: string, value: Schema.Json): Schema.Json =>
  numbers.has(key) && typeof value === "string" && /^\d+$/.test(value)
    ? Number(value)
    : texts.has(key) && typeof value === "number"
    ? String(value)
    : asAnswer(value)

/** `JobRoleArn` in a template is `jobRoleArn` in an answer; the keys of options and variables are the user's own. */
const asAnswer = (value: Schema.Json): Schema.Json => {
  if (isList(value)) return value.map(asAnswer)
  if (!isIntrinsic(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      `${key.slice(0, 1).toLowerCase()}${key.slice(1)}`,
      key === "Options" || key === "Tags" || key === "Parameters" ? inner : asTyped(key, inner)
    ])
  )
}

export const isTemplate = Schema.is(Template)

/** The bundle that a template stands for. */
export const bundleOfTemplate = (template: Template): unknown => {
  const resolve = resolver(template)
  const resources = Object.entries(template.Resources).map(([id, { Properties = {}, Type }]) => ({
    id,
    type: Type,
    properties: resolve(Properties)
  }))
  const ofType = (wanted: string) => resources.filter(({ type }) => type === wanted)
  const answers = Object.entries(kinds).flatMap(([type, { call, list }]) => {
    const found = ofType(type)
    return found.length === 0 ? [] : [[call, { [list]: found.map(({ properties }) => asAnswer(properties)) }] as const]
  })
  const templates = ofType(launchTemplate)
  return {
    ...Object.fromEntries(answers),
    ...(templates.length === 0 ? {} : { launchTemplates: templates.map(({ id, properties }) => launchTemplateOf(id, properties)) })
  }
}

const LaunchTemplate = Schema.Struct({
  LaunchTemplateName: Schema.optional(Schema.String),
  LaunchTemplateData: Schema.optional(Schema.Struct({ UserData: Schema.optional(Schema.String) }))
})
const isLaunchTemplate = Schema.is(LaunchTemplate)

/** Base64 by the template's own hand, where `Fn::Base64` would have done it. */
const plainText = (userData: string): string => {
  const packed = userData.replaceAll(/\s/g, "")
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(packed)) return userData
  return Result.getOrElse(Base64.decodeString(packed), () => userData)
}

/** Its id is that by which `Ref` names it where it has no name of its own. */
const launchTemplateOf = (launchTemplateId: string, properties: Schema.Json) =>
  isLaunchTemplate(properties)
    ? {
      launchTemplateId,
      launchTemplateName: properties.LaunchTemplateName,
      userData: plainText(properties.LaunchTemplateData?.UserData ?? "")
    }
    : {}

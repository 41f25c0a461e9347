/** How many of `ARGV` belong to one entry: revision, attempt, tick, two times to live, status, progress (empty: none). */
export const argumentsPerEntry = 7

/** Where every change is told, by the key of its subject without `:status`: one channel for all tenants. */
export const changesChannel = "lectern:progress"

/**
 * Writes entries as `ProgressMirrorMemory` does, all of a call in one step. `KEYS` are the status and the progress key of
 * each entry in turn. Tells {@link changesChannel} what it wrote. Returns 1 if anything was written, 0 if all of it was stale.
 *
 * What stands in a key and is not one of our values (garbage, another writer's JSON, another type of key) has no version, and
 * so gives way. The keys of a call may live in different slots: not for Redis Cluster.
 */
export const mirrorScript = `
local limit = 9007199254740991

local function whole(value)
  return type(value) == "number" and value == math.floor(value) and value >= -limit and value <= limit
end

local function held(key, isProgress)
  local text = redis.pcall("GET", key)
  if type(text) ~= "string" then return nil end
  local decoded, value = pcall(cjson.decode, text)
  if not decoded or type(value) ~= "table" then return nil end
  local tick = 0
  if isProgress then
    tick = value.tick
    if type(value.percent) ~= "number" then return nil end
  elseif type(value.status) ~= "string" then
    return nil
  end
  if not (whole(value.revision) and whole(value.attempt) and whole(tick)) then return nil end
  return { value.revision, value.attempt, tick }
end

local function compare(a, b)
  for i = 1, 3 do
    if a[i] ~= b[i] then return a[i] - b[i] end
  end
  return 0
end

local written = 0
for entry = 0, #KEYS / 2 - 1 do
  local statusKey, progressKey = KEYS[2 * entry + 1], KEYS[2 * entry + 2]
  local at = ${argumentsPerEntry} * entry
  local version = { tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]) }
  local statusTtl, progressTtl = ARGV[at + 4], ARGV[at + 5]
  local status, progress = ARGV[at + 6], ARGV[at + 7]

  local heldStatus, heldProgress = held(statusKey, false), held(progressKey, true)
  local statusOrder, progressOrder = 1, 1
  local changed = false
  if heldStatus then statusOrder = compare({ version[1], version[2], 0 }, heldStatus) end
  if heldProgress then progressOrder = compare(version, heldProgress) end

  if statusOrder >= 0 and not (heldProgress and version[1] < heldProgress[1]) then
    if statusOrder > 0 then
      redis.call("SET", statusKey, status, "EX", statusTtl)
      changed = true
    end
    if progress == "" then
      if statusOrder > 0 then redis.call("DEL", progressKey) end
    elseif progressOrder > 0 then
      redis.call("SET", progressKey, progress, "EX", progressTtl)
      if statusOrder == 0 then redis.call("EXPIRE", statusKey, statusTtl) end
      changed = true
    end
  end
  if changed then
    written = 1
    -- Whoever may not publish here writes all the same: listeners look again by themselves.
    redis.pcall("PUBLISH", "${changesChannel}", string.sub(statusKey, 1, -8))
  end
end
return written
`

/**
 * The SHA-1 of the script, under which a server that has seen it knows it. Written down, because the edge has this module and no
 * module of Node; a test compares. A wrong one would cost every write a second round trip, and nothing else.
 */
export const mirrorScriptSha = "eb52391515ca3947be92fe96f75baa3289dab69f"

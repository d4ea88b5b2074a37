#!powershell
#Requires -Version 5.1
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Makes the two changes that no other module makes; it decides nothing (odj_server_change.yml has the contract).
# "throw 'Id, text'" makes an error with that id. Runs in Windows PowerShell 5.1 and PowerShell 7, in full language mode.

# Ansible's own check of modules wants a utility to be named. There is none of this name, and it is optional: core finds
# nothing and sends nothing, so no C# is compiled on the server and the script runs in constrained language too.
#AnsibleRequires -CSharpUtil Ansible.NoneNeeded -Optional

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$WarningPreference = 'SilentlyContinue'
$checkMode = [bool]$complex_args['_ansible_check_mode']
# What the answer of a failure says, too: a change that was made and then did not stand its test is a change.
$done = @{ changed = $false }

function Get-InnerException($exception) {
    while ($null -ne $exception.InnerException) { $exception = $exception.InnerException }
    $exception
}

function Assert-Argument($names) {
    foreach ($name in $names) {
        if (-not $complex_args[$name]) { throw "BadArgument, $name is needed" }
    }
}

# ---- replace a file

function Get-Sha256([string]$path) {
    $stream = [IO.File]::Open($path, 'Open', 'Read', 'ReadWrite, Delete')
    try { (Get-FileHash -InputStream $stream -Algorithm SHA256).Hash.ToLowerInvariant() } finally { $stream.Dispose() }
}

function Get-Sddl([string]$path) {
    # Outside Windows (contract tests) there is no such cmdlet.
    if (-not (Get-Command -Name Get-Acl -ErrorAction Ignore)) { return '' }
    # PowerShell 7 gives an access list its property Sddl in a file of types that the runspace of a task never loads.
    "$((Get-Acl -LiteralPath $path).GetSecurityDescriptorSddlForm('All'))"
}

# What an SDDL text says of access: no owner and group (ReplaceFile keeps the access list, the owner may become that of
# the new file), and no marks of how the list came about.
function Get-AccessList([string]$sddl) {
    $sddl -replace '^.*?D:', '' -replace '^(P?)[A-Z]*', '$1'
}

function Write-NewFile([string]$path, $bytes) {
    $stream = New-Object -TypeName IO.FileStream -ArgumentList $path, 'CreateNew', 'Write', 'None'
    try {
        $stream.Write($bytes, 0, $bytes.Length)
        # True means to the disk, not only to the system's cache.
        $stream.Flush($true)
    }
    finally { $stream.Dispose() }
}

# Virus scanners hold files for moments: a sharing violation (32), a refusal (5) and "cannot remove" (1175) are tried again.
function Invoke-Replace([string]$new, [string]$target, [string]$backup) {
    $passing = -2147024864, -2147024891, -2147023721
    foreach ($try in 1..5) {
        try {
            [IO.File]::Replace($new, $target, $backup, $false)
            return
        }
        catch {
            $code = (Get-InnerException $_.Exception).HResult
            # 1177: the old file already lies under the backup's name and the new one did not arrive. Put it back.
            if ($code -eq -2147023719) {
                try { [IO.File]::Move($backup, $target) }
                catch { throw "ReplaceFailed, $target is missing now, its old content is $backup (put that back by hand)" }
                throw "ReplaceFailed, the new content could not be moved to $target; the old file was put back from $backup"
            }
            if ($passing -notcontains $code -or $try -eq 5) { throw }
            Start-Sleep -Milliseconds 200
        }
    }
}

# The oldest backups go, of those that are named as the action plugins name them; what cannot be removed stays.
function Remove-OldBackup($answer, [string]$path, [int]$keep) {
    if ($keep -lt 1) { return }
    $pattern = '^' + [regex]::Escape([IO.Path]::GetFileName($path)) + '\.[0-9]{8}T[0-9]{6}Z\.bak$'
    $files = @([IO.Directory]::GetFiles([IO.Path]::GetDirectoryName($path)))
    $found = @($files | Where-Object { [IO.Path]::GetFileName($_) -match $pattern } | Sort-Object)
    for ($index = 0; $index -lt $found.Count - $keep; $index++) {
        try {
            [IO.File]::Delete($found[$index])
            $answer['backups_removed'] += @($found[$index])
        }
        catch { $answer['backups_not_removed'] += @($found[$index]) }
    }
}

function Get-ConfirmedAnswer($answer, [string]$path, [string]$wanted) {
    $backup = $answer['backup_path']
    $answer['after_sha256'] = Get-Sha256 $path
    $answer['sddl_after'] = Get-Sddl $path
    if ($answer['after_sha256'] -ne $wanted) { throw "ReadBackDiffers, $path does not hold the new content; the old file is $backup" }
    if ((Get-AccessList $answer['sddl_after']) -ne (Get-AccessList $answer['sddl_before'])) {
        throw "AccessRightsDiffer, the access rights of $path changed; the old file is $backup"
    }
    $answer
}

function Set-FileContent {
    Assert-Argument @('path', 'expected_sha256', 'backup_path')
    if ($null -eq $complex_args['content']) { throw 'BadArgument, content is needed' }
    $path = "$($complex_args['path'])"
    $backup = "$($complex_args['backup_path'])"
    $folder = [IO.Path]::GetDirectoryName($path)
    if ([IO.Path]::GetDirectoryName($backup) -ne $folder) { throw 'BadArgument, backup_path must be in the same directory as path' }
    $bytes = [Convert]::FromBase64String("$($complex_args['content'])")
    $answer = @{ changed = $false; stale = $false; backup_path = $backup; before_sha256 = (Get-Sha256 $path); sddl_before = (Get-Sddl $path) }
    $answer['after_sha256'] = $answer['before_sha256']
    $answer['sddl_after'] = $answer['sddl_before']
    $answer['backups_removed'] = @()
    $answer['backups_not_removed'] = @()
    if ($answer['before_sha256'] -ne $complex_args['expected_sha256']) {
        $answer['stale'] = $true
        return $answer
    }
    $answer['changed'] = $true
    if ($checkMode) { return $answer }
    if ([IO.File]::Exists($backup)) { throw "BackupExists, $backup is already there" }
    # The same directory, thus the same volume: only there is a replacement one step.
    $new = [IO.Path]::Combine($folder, "odj-$(New-Guid).tmp")
    $attributes = [IO.File]::GetAttributes($path)
    $readOnly = "$attributes" -match 'ReadOnly'
    try {
        Write-NewFile $new $bytes
        $wanted = Get-Sha256 $new
        if ((Get-Sha256 $path) -ne $answer['before_sha256']) {
            $answer['stale'] = $true
            $answer['changed'] = $false
            return $answer
        }
        if ($readOnly) { [IO.File]::SetAttributes($path, 'Normal') }
        Invoke-Replace $new $path $backup
        $done['changed'] = $true
    }
    finally {
        if ([IO.File]::Exists($new)) { [IO.File]::Delete($new) }
        if ($readOnly -and [IO.File]::Exists($path)) { [IO.File]::SetAttributes($path, $attributes) }
    }
    $answer = Get-ConfirmedAnswer $answer $path $wanted
    Remove-OldBackup $answer $path ([int]$complex_args['keep_backups'])
    $answer
}

# ---- a managed service account on this server: called by plays; the roles will, for accounts that the user brings

function Get-AccountInterface {
    # The server and the password are IntPtr: PowerShell would hand over an empty string for a null one.
    Add-Type -Namespace OdjChange -Name ServiceAccount -PassThru -MemberDefinition @'
[DllImport("logoncli.dll", CharSet = CharSet.Unicode)]
public static extern int NetQueryServiceAccount(IntPtr server, string name, uint level, out IntPtr buffer);
[DllImport("logoncli.dll", CharSet = CharSet.Unicode)]
public static extern int NetAddServiceAccount(IntPtr server, string name, IntPtr password, uint flags);
[DllImport("logoncli.dll", CharSet = CharSet.Unicode)]
public static extern int NetRemoveServiceAccount(IntPtr server, string name, uint flags);
[DllImport("netapi32.dll")]
public static extern int NetApiBufferFree(IntPtr buffer);
'@
}

function Assert-Success([string]$what, [int]$status) {
    # 0xC0000136: Netlogon asked a domain controller as the caller, who has no credentials to give.
    if ($status -eq -1073741514) { throw "NoCredentials, $what needs a logon that can ask a domain controller; run as SYSTEM" }
    if ($status -ne 0) { throw "AccountFailed, $what ended with status 0x$([Convert]::ToString($status, 16))" }
}

function Get-AccountState($api, [string]$name) {
    $buffer = [IntPtr]::Zero
    Assert-Success 'the query for the account' ($api::NetQueryServiceAccount([IntPtr]::Zero, $name, 0, [ref]$buffer))
    $state = [Runtime.InteropServices.Marshal]::ReadInt32($buffer)
    $null = $api::NetApiBufferFree($buffer)
    $state
}

# 5 is usable here, 4 is a standalone account that can be taken into use. Other states may be a directory that lags.
function Wait-AccountState($api, [string]$name, $wanted) {
    foreach ($try in 1..7) {
        $state = Get-AccountState $api $name
        if (@($wanted) -contains $state -or $try -eq 7) { return $state }
        Start-Sleep -Seconds 5
    }
}

function Add-Account {
    Assert-Argument @('name')
    $name = "$($complex_args['name'])"
    $api = Get-AccountInterface
    if ($checkMode) { $state = Get-AccountState $api $name } else { $state = Wait-AccountState $api $name @(4, 5) }
    $answer = @{ changed = $state -ne 5; state_before = $state; state_after = $state }
    if ($state -eq 5 -or $checkMode) { return $answer }
    if ($state -ne 4) { throw "NotUsable, the account is in state $state on this server; it must exist and be linked to this computer (4 or 5)" }
    # Flag 1: use the existing account. Flag 0 would create one in the directory.
    Assert-Success 'taking the account into use' ($api::NetAddServiceAccount([IntPtr]::Zero, $name, [IntPtr]::Zero, 1))
    $done['changed'] = $true
    $answer['state_after'] = Wait-AccountState $api $name @(5)
    if ($answer['state_after'] -ne 5) { throw "NotUsable, the account is in state $($answer['state_after']) after it was taken into use" }
    $answer
}

function Remove-Account {
    Assert-Argument @('name')
    $name = "$($complex_args['name'])"
    $api = Get-AccountInterface
    $state = Get-AccountState $api $name
    $answer = @{ changed = $state -eq 5; state_before = $state; state_after = $state }
    if ($state -ne 5 -or $checkMode) { return $answer }
    # Flag 1: only unlink from this server. Flag 0 would delete the account from the directory.
    Assert-Success 'releasing the account' ($api::NetRemoveServiceAccount([IntPtr]::Zero, $name, 1))
    $answer['state_after'] = Get-AccountState $api $name
    $answer
}

# ---- the fence

# A run that was given up must not change what another one has begun to work on. The server keeps the highest epoch that
# it has seen, where only an administrator writes, and refuses a lower one and the same one of another run.
function Assert-Fence($fence) {
    $path = 'HKLM:\SOFTWARE\hybridjoin.odj'
    $epoch = 0L
    if (-not $fence['run'] -or -not [long]::TryParse("$($fence['epoch'])", [ref]$epoch) -or $epoch -lt 1) {
        throw 'BadArgument, a fence has a run and an epoch of 1 or more'
    }
    $key = Get-Item -LiteralPath $path -ErrorAction Ignore
    $seen = if ($null -ne $key) { [long]$key.GetValue('Epoch', 0) } else { 0L }
    $run = if ($null -ne $key) { "$($key.GetValue('Run', ''))" } else { '' }
    if ($epoch -lt $seen -or ($epoch -eq $seen -and $run -cne "$($fence['run'])")) {
        throw "Fenced, the run $run (epoch $seen) has begun to work on this server; nothing was changed"
    }
    if ($checkMode -or $epoch -eq $seen) { return }
    if ($null -eq $key) { $null = New-Item -Path $path -Force }
    # The run comes first: when only it was written, the next one of this epoch is refused, and nothing let through.
    Set-ItemProperty -LiteralPath $path -Name 'Run' -Value "$($fence['run'])" -Type String
    Set-ItemProperty -LiteralPath $path -Name 'Epoch' -Value $epoch -Type QWord
}

# ---- one operation

$functions = @{
    replace_file = 'Set-FileContent'
    use_service_account = 'Add-Account'
    release_service_account = 'Remove-Account'
}

try {
    if ("$($ExecutionContext.SessionState.LanguageMode)" -ne 'FullLanguage') { throw 'LanguageMode, this change needs full language mode' }
    $operation = "$($complex_args['operation'])"
    if (-not $functions.ContainsKey($operation)) { throw "BadArgument, there is no operation $operation" }
    if ($null -ne $complex_args['fence']) { Assert-Fence $complex_args['fence'] }
    $result = & $functions[$operation]
}
catch {
    $inner = Get-InnerException $_.Exception
    $id = "$($_.FullyQualifiedErrorId)".Split(',')[0]
    $errorTable = @{
        id = $id
        category = "$($_.CategoryInfo.Category)"
        reason = "$($_.CategoryInfo.Reason)"
        hresult = [int]$inner.HResult
        message = "$($inner.Message)"
    }
    $result = @{ failed = $true; changed = $done['changed']; msg = "$($inner.Message)"; error = $errorTable }
}
ConvertTo-Json -Depth 20 -Compress -InputObject $result
$global:LASTEXITCODE = 0

#!powershell
#Requires -Version 5.1
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Answers generic questions about this server; what they mean is known to the caller (odj_server_probe.yml has the contract).
# One function answers one kind. It returns one hashtable or throws; "throw 'Id, text'" makes an error with that id.
# Runs in Windows PowerShell 5.1 and PowerShell 7. Where application control constrains the language, cmdlets are used;
# a question that only .NET can answer then ends with the error id LanguageMode.

# Ansible's own check of modules wants a utility to be named. There is none of this name, and it is optional: core finds
# nothing and sends nothing, so no C# is compiled on the server and the script runs in constrained language too.
#AnsibleRequires -CSharpUtil Ansible.NoneNeeded -Optional

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$WarningPreference = 'SilentlyContinue'
$fullLanguage = "$($ExecutionContext.SessionState.LanguageMode)" -eq 'FullLanguage'
$system32 = "$env:SystemRoot\System32"

# ---- plain data

function ConvertTo-UtcText($time) {
    if ($null -eq $time) { return $null }
    $time.ToUniversalTime().ToString('o')
}

function ConvertTo-PlainValue($value) {
    if ($value -is [datetime]) { return (ConvertTo-UtcText $value) }
    if ($value -is [array]) { return , @($value | ForEach-Object { ConvertTo-PlainValue $_ }) }
    if ($null -eq $value -or $value -is [bool] -or $value -is [int] -or $value -is [long] -or $value -is [double]) { return $value }
    if ($value -is [byte] -or $value -is [int16] -or $value -is [uint16] -or $value -is [uint32]) { return [long]$value }
    "$value"
}

# The named properties of an object, $null for those it has not; works in constrained language.
function Get-PropertyTable($object, $names) {
    $table = @{}
    foreach ($name in @($names)) { $table[$name] = $null }
    if ($null -ne $object) {
        $row = Select-Object -InputObject $object -Property @($names)
        foreach ($name in @($names)) { $table[$name] = $row.$name }
    }
    $table
}

function ConvertTo-Base64Text($bytes) {
    if ($fullLanguage) { return [Convert]::ToBase64String([byte[]]$bytes) }
    $letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
    $all = @($bytes)
    $groups = for ($at = 0; $at -lt $all.Count; $at += 3) {
        $have = $all.Count - $at
        $second = 0
        $third = 0
        if ($have -gt 1) { $second = [int]$all[$at + 1] }
        if ($have -gt 2) { $third = [int]$all[$at + 2] }
        $word = ([int]$all[$at] -shl 16) -bor ($second -shl 8) -bor $third
        $text = "$($letters[($word -shr 18) -band 63])$($letters[($word -shr 12) -band 63])"
        if ($have -gt 1) { $text += "$($letters[($word -shr 6) -band 63])" } else { $text += '=' }
        if ($have -gt 2) { $text += "$($letters[$word -band 63])" } else { $text += '=' }
        $text
    }
    @($groups) -join ''
}

function Get-ErrorAnswer($record) {
    $inner = $record.Exception
    while ($null -ne $inner.InnerException) { $inner = $inner.InnerException }
    @{
        id = "$($record.FullyQualifiedErrorId)".Split(',')[0]
        category = "$($record.CategoryInfo.Category)"
        reason = "$($record.CategoryInfo.Reason)"
        hresult = [int]$inner.HResult
        message = "$($inner.Message)"
    }
}

# Windows PowerShell makes a program's redirected error output an exception unless the preference is Continue.
function Invoke-Program([string]$path, [string[]]$arguments) {
    $ErrorActionPreference = 'Continue'
    $lines = @(& $path @arguments 2>$null)
    @{ code = $LASTEXITCODE; lines = $lines }
}

function Assert-FullLanguage {
    if (-not $fullLanguage) { throw 'LanguageMode, this question needs full language mode' }
}

function Assert-Argument($probe, $name) {
    if (-not $probe[$name]) { throw "BadArgument, $name is needed" }
}

# ---- host

function Test-Elevated {
    try { $groups = Invoke-Program "$system32\whoami.exe" @('/groups', '/fo', 'csv', '/nh') } catch { return $null }
    if ($groups['code'] -ne 0) { return $null }
    # The integrity level is a group: 12288 is high, 16384 is that of SYSTEM.
    "$($groups['lines'])" -match 'S-1-16-(12288|16384)'
}

# locate_dc: for the prerequisite that the server finds a domain controller of its domain; no task asks it yet.
function Find-DomainController([string]$domain) {
    $answer = Invoke-Program "$system32\nltest.exe" @("/dsgetdc:$domain")
    if ($answer['code'] -eq 0 -and "$($answer['lines'])" -match '\\\\([A-Za-z0-9_.-]+)') { return $Matches[1] }
    $null
}

function Get-CimTable([string]$class, $names) {
    if (-not (Get-Command -Name Get-CimInstance -ErrorAction Ignore)) { return (Get-PropertyTable $null $names) }
    Get-PropertyTable (Get-CimInstance -ClassName $class -Property $names) $names
}

function Get-HostAnswer($probe) {
    $start = (Get-Date).ToUniversalTime().Ticks
    $computer = Get-CimTable 'Win32_ComputerSystem' @('Name', 'DNSHostName', 'Domain', 'PartOfDomain', 'DomainRole')
    $system = Get-CimTable 'Win32_OperatingSystem' @('Version', 'BuildNumber', 'LastBootUpTime', 'ProductType')
    $dc = $null
    if ($probe['locate_dc'] -and $computer['PartOfDomain']) { $dc = Find-DomainController $computer['Domain'] }
    @{
        name = $computer['Name']
        dns_host_name = $computer['DNSHostName']
        domain = $computer['Domain']
        part_of_domain = $computer['PartOfDomain']
        domain_role = ConvertTo-PlainValue $computer['DomainRole']
        os_version = $system['Version']
        build = $system['BuildNumber']
        boot_time = ConvertTo-UtcText $system['LastBootUpTime']
        product_type = ConvertTo-PlainValue $system['ProductType']
        powershell = @{
            version = "$($PSVersionTable['PSVersion'])"
            edition = "$($PSVersionTable['PSEdition'])"
            language_mode = "$($ExecutionContext.SessionState.LanguageMode)"
        }
        bits = [IntPtr]::Size * 8
        elevated = Test-Elevated
        dc = $dc
        ticks_start = $start
        ticks_end = (Get-Date).ToUniversalTime().Ticks
    }
}

# ---- registry

function ConvertTo-RegistryValue([string]$kind, $data) {
    if ($data -is [byte[]]) { $data = ConvertTo-Base64Text $data }
    elseif ($data -is [array]) { $data = @($data | ForEach-Object { "$_" }) }
    @{ kind = $kind; data = $data }
}

function Get-RegistryValueTable($key, $names) {
    $table = @{}
    foreach ($name in $key.GetValueNames()) {
        $shown = $name
        if ($name -eq '') { $shown = '(default)' }
        if ($null -ne $names -and @($names) -notcontains $shown) { continue }
        $data = $key.GetValue($name, $null, 'DoNotExpandEnvironmentNames')
        $table[$shown] = ConvertTo-RegistryValue "$($key.GetValueKind($name))" $data
    }
    $table
}

# The provider does not tell the kind: it is taken from the type of the data.
function Get-ProviderValueTable([string]$path, $names) {
    $table = @{}
    $item = Get-Item -LiteralPath $path
    $wanted = @($item.Property)
    if ($null -ne $names) { $wanted = @($item.Property | Where-Object { @($names) -contains $_ }) }
    $data = Get-PropertyTable (Get-ItemProperty -LiteralPath $path) $wanted
    foreach ($name in $wanted) {
        $kind = 'String'
        if ($data[$name] -is [int]) { $kind = 'DWord' }
        elseif ($data[$name] -is [long]) { $kind = 'QWord' }
        elseif ($data[$name] -is [byte[]]) { $kind = 'Binary' }
        elseif ($data[$name] -is [array]) { $kind = 'MultiString' }
        $table[$name] = ConvertTo-RegistryValue $kind $data[$name]
    }
    $table
}

function Test-Wanted($values, $where) {
    if ($null -eq $where) { return $true }
    $found = $values[$where['value']]
    $null -ne $found -and "$($found['data'])" -eq "$($where['equals'])"
}

function Get-RegistryAnswer($probe) {
    Assert-Argument $probe 'key'
    $hive, $rest = "$($probe['key'])" -split '\\', 2
    $hives = @{ HKLM = @('LocalMachine', 'HKEY_LOCAL_MACHINE'); HKU = @('Users', 'HKEY_USERS') }
    if (-not $rest -or -not $hives.ContainsKey($hive)) { throw 'BadArgument, a key starts with HKLM\ or HKU\' }
    if ($fullLanguage) { return (Get-RegistryByClass $probe $hives[$hive][0] $rest) }
    if ("$($probe['view'])" -eq '32') { $rest = $rest -replace '^SOFTWARE\\(?!WOW6432Node)', 'SOFTWARE\WOW6432Node\' }
    Get-RegistryByProvider $probe "Registry::$($hives[$hive][1])\$rest"
}

function Get-RegistryByClass($probe, [string]$hive, [string]$path) {
    $view = 'Registry64'
    if ("$($probe['view'])" -eq '32') { $view = 'Registry32' }
    $root = [Microsoft.Win32.RegistryKey]::OpenBaseKey($hive, $view)
    $key = $root.OpenSubKey($path)
    if ($null -eq $key) { return @{ exists = $false; values = @{}; subkeys = @(); unreadable = @() } }
    $subkeys = @()
    $unreadable = @()
    if ($probe['subkeys']) {
        $subkeys = @(foreach ($name in $key.GetSubKeyNames()) {
                # One key that is denied or damaged must not hide the others.
                try {
                    $child = $key.OpenSubKey($name)
                    if ($null -eq $child) { continue }
                    $values = Get-RegistryValueTable $child $probe['subkey_values']
                }
                catch {
                    $unreadable += @{ name = $name; message = (Get-ErrorAnswer $_)['message'] }
                    continue
                }
                if (Test-Wanted $values $probe['subkey_where']) { @{ name = $name; values = $values } }
            })
    }
    @{ exists = $true; values = (Get-RegistryValueTable $key $probe['values']); subkeys = $subkeys; unreadable = $unreadable }
}

function Get-RegistryByProvider($probe, [string]$path) {
    try { $null = Get-Item -LiteralPath $path }
    catch {
        if ("$($_.CategoryInfo.Category)" -ne 'ObjectNotFound') { throw }
        return @{ exists = $false; values = @{}; subkeys = @(); unreadable = @() }
    }
    $subkeys = @()
    $unreadable = @()
    if ($probe['subkeys']) {
        $failures = @()
        $children = @(Get-ChildItem -LiteralPath $path -ErrorAction SilentlyContinue -ErrorVariable failures)
        foreach ($failure in @($failures)) {
            $unreadable += @{ name = @("$($failure.TargetObject)" -split '\\')[-1]; message = (Get-ErrorAnswer $failure)['message'] }
        }
        $subkeys = @(foreach ($child in $children) {
                # One key that is denied or damaged must not hide the others.
                try { $values = Get-ProviderValueTable "$path\$($child.PSChildName)" $probe['subkey_values'] }
                catch {
                    $unreadable += @{ name = "$($child.PSChildName)"; message = (Get-ErrorAnswer $_)['message'] }
                    continue
                }
                if (Test-Wanted $values $probe['subkey_where']) { @{ name = "$($child.PSChildName)"; values = $values } }
            })
    }
    @{ exists = $true; values = (Get-ProviderValueTable $path $probe['values']); subkeys = $subkeys; unreadable = $unreadable }
}

# ---- cim and service

# For prerequisites in depth (the languages of the system, features that no other kind shows); no task asks it yet.
function Get-CimAnswer($probe) {
    Assert-Argument $probe 'class'
    Assert-Argument $probe 'properties'
    $query = @{ ClassName = "$($probe['class'])"; Property = @($probe['properties']) }
    if ($probe['namespace']) { $query['Namespace'] = "$($probe['namespace'])" }
    if ($probe['filter']) { $query['Filter'] = "$($probe['filter'])" }
    if ($probe['timeout']) { $query['OperationTimeoutSec'] = [int]$probe['timeout'] }
    $instances = @(foreach ($instance in @(Get-CimInstance @query)) {
            $row = Get-PropertyTable $instance $probe['properties']
            foreach ($name in @($probe['properties'])) { $row[$name] = ConvertTo-PlainValue $row[$name] }
            $row
        })
    @{ instances = $instances }
}

# The SID of a managed service account: access lists hold no names. Others are not asked for.
function Get-AccountSid([string]$name) {
    if (-not $fullLanguage -or -not ($name -split '@')[0].EndsWith('$')) { return $null }
    try { ([Security.Principal.NTAccount]$name).Translate([Security.Principal.SecurityIdentifier]).Value } catch { $null }
}

function Get-ServiceAnswer($probe) {
    Assert-Argument $probe 'name'
    $name = "$($probe['name'])"
    $names = 'DisplayName', 'State', 'StartMode', 'DelayedAutoStart', 'StartName', 'PathName', 'ProcessId', 'ExitCode', 'ServiceSpecificExitCode'
    $escaped = $name.Replace('\', '\\').Replace("'", "\'")
    $service = @(Get-CimInstance -ClassName Win32_Service -Filter "Name='$escaped'")
    if ($service.Count -eq 0) { return @{ exists = $false } }
    $facts = Get-PropertyTable $service[0] $names
    $key = "Registry::HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\$name"
    $flag = Get-ItemProperty -LiteralPath $key -Name 'ServiceAccountManaged' -ErrorAction Ignore
    $managed = $null
    if ($null -ne $flag) { $managed = @($flag.ServiceAccountManaged)[0] -ne 0 }
    @{
        exists = $true
        display_name = $facts['DisplayName']
        state = $facts['State']
        start_mode = $facts['StartMode']
        delayed = $facts['DelayedAutoStart']
        start_name = $facts['StartName']
        start_sid = Get-AccountSid "$($facts['StartName'])"
        path = $facts['PathName']
        process_id = ConvertTo-PlainValue $facts['ProcessId']
        exit_code = ConvertTo-PlainValue $facts['ExitCode']
        service_exit_code = ConvertTo-PlainValue $facts['ServiceSpecificExitCode']
        managed_account = $managed
    }
}

# ---- file and directory

# PowerShell 7 gives an access list its property Sddl in a file of types of a module that the runspace of a task never
# loads. Full language needs no types; in constrained language the module is loaded, which only its path does.
function Get-SddlText([string]$path) {
    $list = Get-Acl -LiteralPath $path
    if ($fullLanguage) { return "$($list.GetSecurityDescriptorSddlForm('All'))" }
    if ("$($PSVersionTable['PSEdition'])" -eq 'Core') {
        Import-Module -Name "$PSHOME\Modules\Microsoft.PowerShell.Security\Microsoft.PowerShell.Security.psd1"
        $list = Get-Acl -LiteralPath $path
    }
    "$($list.Sddl)"
}

# Shares everything, so that a file in use can be read; the caller disposes of the stream.
function Open-SharedFile([string]$path) {
    [IO.File]::Open($path, 'Open', 'Read', 'ReadWrite, Delete')
}

function Get-Sha256([string]$path) {
    if (-not $fullLanguage) { return (Get-FileHash -LiteralPath $path -Algorithm SHA256).Hash.ToLowerInvariant() }
    $stream = Open-SharedFile $path
    try { (Get-FileHash -InputStream $stream -Algorithm SHA256).Hash.ToLowerInvariant() } finally { $stream.Dispose() }
}

function Read-FilePart([string]$path, [long]$offset, [int]$count) {
    if (-not $fullLanguage) {
        if ($offset -ne 0) { throw 'LanguageMode, the end of a file needs full language mode' }
        $byteSwitch = @{ Encoding = 'Byte' }
        if ("$($PSVersionTable['PSEdition'])" -eq 'Core') { $byteSwitch = @{ AsByteStream = $true } }
        return (ConvertTo-Base64Text @(Get-Content -LiteralPath $path -TotalCount $count @byteSwitch))
    }
    $stream = Open-SharedFile $path
    try {
        $null = $stream.Seek($offset, 'Begin')
        $buffer = New-Object -TypeName byte[] -ArgumentList $count
        $have = 0
        do {
            $read = $stream.Read($buffer, $have, $count - $have)
            $have += $read
        } while ($read -gt 0 -and $have -lt $count)
        [Convert]::ToBase64String($buffer, 0, $have)
    }
    finally { $stream.Dispose() }
}

# signature and version: for the files of an installed connector and for an installer's publisher; no task asks them yet.
function Get-SignatureTable([string]$path) {
    $signature = Get-AuthenticodeSignature -LiteralPath $path
    $signer = Get-PropertyTable $signature.SignerCertificate @('Subject', 'Issuer', 'Thumbprint', 'NotAfter')
    @{
        status = [int]$signature.Status
        status_name = "$($signature.Status)"
        subject = $signer['Subject']
        issuer = $signer['Issuer']
        thumbprint = $signer['Thumbprint']
        not_after = ConvertTo-UtcText $signer['NotAfter']
        timestamped = $null -ne $signature.TimeStamperCertificate
    }
}

function Get-VersionTable($item) {
    $names = 'FileMajorPart', 'FileMinorPart', 'FileBuildPart', 'FilePrivatePart'
    $names += 'ProductMajorPart', 'ProductMinorPart', 'ProductBuildPart', 'ProductPrivatePart'
    $part = Get-PropertyTable $item.VersionInfo $names
    @{
        file = @($names[0..3] | ForEach-Object { "$($part[$_])" }) -join '.'
        product = @($names[4..7] | ForEach-Object { "$($part[$_])" }) -join '.'
    }
}

function Get-FileAnswer($probe) {
    Assert-Argument $probe 'path'
    $path = "$($probe['path'])"
    try { $item = Get-Item -LiteralPath $path -Force }
    catch {
        if ("$($_.CategoryInfo.Category)" -ne 'ObjectNotFound') { throw }
        return @{ exists = $false }
    }
    $answer = @{
        exists = $true
        directory = [bool]$item.PSIsContainer
        attributes = "$($item.Attributes)"
        last_write = ConvertTo-UtcText $item.LastWriteTimeUtc
    }
    # For the access that a service account needs to configuration and logs; no task asks it yet.
    if ($probe['acl']) { $answer['sddl'] = Get-SddlText $path }
    if ($answer['directory']) { return $answer }
    $length = [long]$item.Length
    $answer['length'] = $length
    if ($probe['hash']) { $answer['sha256'] = Get-Sha256 $path }
    if ($probe['version']) { $answer['version'] = Get-VersionTable $item }
    if ($probe['signature']) { $answer['signature'] = Get-SignatureTable $path }
    if ($probe['content']) {
        $limit = [long]$probe['content']
        $answer['truncated'] = $length -gt $limit
        if ($length -lt $limit) { $limit = $length }
        $answer['content'] = Read-FilePart $path 0 $limit
    }
    # For the end of ODJConnectorUI.log, where the sign-in says why it failed; no task asks it yet.
    if ($probe['tail']) {
        $from = $length - [long]$probe['tail']
        if ($from -lt 0) { $from = 0 }
        $answer['tail'] = Read-FilePart $path $from ($length - $from)
    }
    $answer
}

# For prerequisites in depth (what is there of WebView2 and of the wizard's own files); no task asks it yet.
function Get-DirectoryAnswer($probe) {
    Assert-Argument $probe 'path'
    $limit = 100
    if ($probe['limit']) { $limit = [int]$probe['limit'] }
    $query = @{ LiteralPath = "$($probe['path'])"; Force = $true; ErrorAction = 'SilentlyContinue'; ErrorVariable = 'failures' }
    if ($probe['pattern']) { $query['Filter'] = "$($probe['pattern'])" }
    $failures = @()
    $items = @(Get-ChildItem @query | Select-Object -First ($limit + 1))
    if ($items.Count -eq 0 -and @($failures).Count -gt 0) {
        if ("$($failures[0].CategoryInfo.Category)" -ne 'ObjectNotFound') { throw $failures[0] }
        return @{ exists = $false; entries = @(); truncated = $false }
    }
    $entries = @(foreach ($item in @($items | Select-Object -First $limit)) {
            $length = $null
            if (-not $item.PSIsContainer) { $length = [long]$item.Length }
            @{ name = "$($item.Name)"; directory = [bool]$item.PSIsContainer; length = $length; last_write = ConvertTo-UtcText $item.LastWriteTimeUtc }
        })
    @{ exists = $true; entries = $entries; truncated = $items.Count -gt $limit }
}

# ---- event

function ConvertTo-EventTable($entry, $withMessage) {
    $sid = $null
    if ($null -ne $entry.UserId) { $sid = "$($entry.UserId.Value)" }
    $table = @{
        id = [int]$entry.Id
        level = [int]$entry.Level
        time = ConvertTo-UtcText $entry.TimeCreated
        record_id = [long]$entry.RecordId
        provider = "$($entry.ProviderName)"
        user_sid = $sid
        properties = @($entry.Properties | ForEach-Object { "$($_.Value)" })
    }
    if ($withMessage) { $table['message'] = "$($entry.Message)" }
    $table
}

function Get-EventAnswer($probe) {
    Assert-Argument $probe 'channel'
    $failures = @()
    $channel = Get-WinEvent -ListLog "$($probe['channel'])" -ErrorAction SilentlyContinue -ErrorVariable failures
    if ($null -eq $channel) {
        if (@($failures).Count -gt 0 -and "$($failures[0].FullyQualifiedErrorId)" -notlike 'NoMatchingLogsFound*') { throw $failures[0] }
        return @{ exists = $false; enabled = $false; record_count = 0; events = @() }
    }
    $query = @{ LogName = "$($probe['channel'])"; MaxEvents = 100; ErrorAction = 'SilentlyContinue'; ErrorVariable = 'failures' }
    if ($probe['limit']) { $query['MaxEvents'] = [int]$probe['limit'] }
    if ($probe['xpath']) { $query['FilterXPath'] = "$($probe['xpath'])" }
    $failures = @()
    # With Stop, one event whose text cannot be rendered would lose all of them.
    $found = @(Get-WinEvent @query)
    if ($found.Count -eq 0 -and @($failures).Count -gt 0 -and "$($failures[0].FullyQualifiedErrorId)" -notlike 'NoMatchingEventsFound*') {
        throw $failures[0]
    }
    $events = @(foreach ($entry in $found) { ConvertTo-EventTable $entry $probe['message'] })
    @{ exists = $true; enabled = [bool]$channel.IsEnabled; record_count = ConvertTo-PlainValue $channel.RecordCount; events = $events }
}

# ---- certificate

function Get-StoreCertificate([string]$name) {
    if (-not $fullLanguage) {
        Import-Module -Name Microsoft.PowerShell.Security
        return Get-ChildItem -LiteralPath "Microsoft.PowerShell.Security\Certificate::LocalMachine\$name"
    }
    $store = New-Object -TypeName Security.Cryptography.X509Certificates.X509Store -ArgumentList $name, 'LocalMachine'
    $store.Open('ReadOnly, OpenExistingOnly')
    try { $store.Certificates } finally { $store.Close() }
}

function Get-UsageList($certificate) {
    if (-not $fullLanguage) { return @((Get-PropertyTable $certificate 'EnhancedKeyUsageList')['EnhancedKeyUsageList'] | ForEach-Object { "$($_.ObjectId)" }) }
    foreach ($extension in $certificate.Extensions) {
        if ($extension.Oid.Value -eq '2.5.29.37') { $extension.EnhancedKeyUsages | ForEach-Object { "$($_.Value)" } }
    }
}

# key_access: for whether the service account may use the key of the sign-in's certificate.
# Windows PowerShell may hand out a key of the old kind as one of the new: the name is looked for in every folder of keys.
function Find-KeyFile($certificate) {
    $key = [Security.Cryptography.X509Certificates.RSACertificateExtensions]::GetRSAPrivateKey($certificate)
    if ($null -eq $key) { return $null }
    if ($key.GetType().Name -eq 'RSACng') { $name = $key.Key.UniqueName } else { $name = $key.CspKeyContainerInfo.UniqueKeyContainerName }
    foreach ($folder in 'RSA\MachineKeys', 'Keys', 'SystemKeys', 'RSA\S-1-5-18') {
        $path = "$env:ProgramData\Microsoft\Crypto\$folder\$name"
        if ([IO.File]::Exists($path)) { return $path }
    }
    $null
}

function Get-CertificateAnswer($probe) {
    $name = 'My'
    if ($probe['store']) { $name = "$($probe['store'])" }
    $list = @(foreach ($certificate in @(Get-StoreCertificate $name)) {
            if ($probe['issuer'] -and $certificate.Issuer -ne $probe['issuer']) { continue }
            $keyFile = $null
            $keySddl = $null
            $keyError = $null
            if ($probe['key_access'] -and $certificate.HasPrivateKey) {
                # The certificate itself is an answer, whatever becomes of the question for its key.
                try {
                    Assert-FullLanguage
                    $keyFile = Find-KeyFile $certificate
                    if ($keyFile) { $keySddl = Get-SddlText $keyFile }
                    else { $keyError = 'the key is in no file that could be found' }
                }
                catch { $keyError = (Get-ErrorAnswer $_)['message'] }
            }
            @{
                thumbprint = "$($certificate.Thumbprint)"
                subject = "$($certificate.Subject)"
                issuer = "$($certificate.Issuer)"
                serial = "$($certificate.SerialNumber)"
                not_before = ConvertTo-UtcText $certificate.NotBefore
                not_after = ConvertTo-UtcText $certificate.NotAfter
                has_private_key = [bool]$certificate.HasPrivateKey
                eku = @(Get-UsageList $certificate)
                key_file = $keyFile
                key_sddl = $keySddl
                key_error = $keyError
            }
        })
    @{ certificates = $list }
}

# ---- endpoint: all names and connections at once, then one conversation after the other

function Get-EndpointAnswer($probe) {
    Assert-Argument $probe 'targets'
    $timeout = 5000
    if ($probe['timeout_ms']) { $timeout = [int]$probe['timeout_ms'] }
    $begin = Get-Date
    $states = @(foreach ($target in @($probe['targets'])) {
            @{
                answer = @{
                    host = "$($target['host'])"; port = [int]$target['port']; addresses = @(); connected = $false
                    proxy_status = $null; tls = $null; error = $null; ms = 0
                }
                tls = [bool]$target['tls']; peer = "$($target['host'])"; peerPort = [int]$target['port']
                pending = $null; client = $null; begin = $begin
            }
        })
    if (-not $fullLanguage) {
        foreach ($state in $states) { Test-EndpointByCmdlet $state $probe['proxy'] $timeout }
    }
    else {
        foreach ($state in $states) { Set-EndpointPeer $state $probe['proxy'] }
        foreach ($step in 'Start-Lookup', 'Stop-Lookup', 'Start-Connect', 'Stop-Connect', 'Start-Conversation') {
            foreach ($state in $states) { Invoke-EndpointStep $step $state $begin.AddMilliseconds($timeout) $probe['proxy'] }
        }
    }
    @{ targets = @(foreach ($state in $states) { $state['answer'] }) }
}

function Set-EndpointPeer($state, $proxy) {
    if (-not $proxy) { return }
    $address = [uri]"$proxy"
    $state['peer'] = $address.Host
    $state['peerPort'] = $address.Port
}

function Invoke-EndpointStep([string]$step, $state, $deadline, $proxy) {
    if ($state['answer']['error']) { return }
    $state['stage'] = @{ 'Start-Lookup' = 'dns'; 'Stop-Lookup' = 'dns' }[$step]
    if (-not $state['stage']) { $state['stage'] = 'connect' }
    try { & $step $state $deadline $proxy }
    catch {
        $inner = $_.Exception
        while ($null -ne $inner.InnerException) { $inner = $inner.InnerException }
        $state['answer']['error'] = @{ stage = $state['stage']; message = "$($inner.Message)" }
    }
    if ($state['client'] -and ($state['answer']['error'] -or $step -eq 'Start-Conversation')) { $state['client'].Close() }
    $state['answer']['ms'] = [int]((Get-Date) - $state['begin']).TotalMilliseconds
}

function Get-RemainingTime($deadline) {
    $left = [int]($deadline - (Get-Date)).TotalMilliseconds
    if ($left -lt 1) { return 1 }
    $left
}

function Start-Lookup($state) {
    $state['pending'] = [Net.Dns]::BeginGetHostAddresses($state['peer'], $null, $null)
}

function Stop-Lookup($state, $deadline, $proxy) {
    if (-not $state['pending'].AsyncWaitHandle.WaitOne((Get-RemainingTime $deadline))) { throw 'no answer to the name lookup in time' }
    $found = @([Net.Dns]::EndGetHostAddresses($state['pending']) | Sort-Object -Property { "$($_.AddressFamily)" })
    $state['family'] = $found[0].AddressFamily
    $state['peerAddresses'] = @($found | Where-Object { $_.AddressFamily -eq $found[0].AddressFamily })
    if (-not $proxy) { $state['answer']['addresses'] = @($found | ForEach-Object { $_.ToString() }) }
}

function Start-Connect($state) {
    $state['client'] = New-Object -TypeName Net.Sockets.TcpClient -ArgumentList $state['family']
    $addresses = [Net.IPAddress[]]$state['peerAddresses']
    $state['pending'] = $state['client'].BeginConnect($addresses, $state['peerPort'], $null, $null)
}

function Stop-Connect($state, $deadline) {
    if (-not $state['pending'].AsyncWaitHandle.WaitOne((Get-RemainingTime $deadline))) { throw 'no connection in time' }
    $state['client'].EndConnect($state['pending'])
}

function Start-Conversation($state, $deadline, $proxy) {
    $answer = $state['answer']
    $stream = $state['client'].GetStream()
    # A server that answered this far gets at least two seconds for each read.
    $wait = Get-RemainingTime $deadline
    if ($wait -lt 2000) { $wait = 2000 }
    $stream.ReadTimeout = $wait
    $stream.WriteTimeout = $wait
    if ($proxy) {
        $state['stage'] = 'proxy'
        $answer['proxy_status'] = Connect-Tunnel $stream "$($answer['host']):$($answer['port'])"
        if ($answer['proxy_status'] -ne 200) { throw "the proxy answered with status $($answer['proxy_status'])" }
    }
    $answer['connected'] = $true
    if (-not $state['tls']) { return }
    $state['stage'] = 'tls'
    $answer['tls'] = Get-PeerTable $stream $answer['host']
}

function Connect-Tunnel($stream, [string]$target) {
    $request = [Text.Encoding]::ASCII.GetBytes("CONNECT $target HTTP/1.1`r`nHost: $target`r`n`r`n")
    $stream.Write($request, 0, $request.Length)
    $text = ''
    while (-not $text.EndsWith("`r`n`r`n")) {
        $byte = $stream.ReadByte()
        if ($byte -lt 0 -or $text.Length -gt 16384) { throw 'the proxy closed the connection' }
        $text += [char]$byte
    }
    if ($text -notmatch '^HTTP/\d\.\d (\d{3})') { throw 'the proxy did not answer in HTTP' }
    [int]$Matches[1]
}

function Get-PeerTable($stream, [string]$name) {
    $seen = @{ errors = $null }
    # Takes any certificate: the caller judges it. The check is this connection's own, nothing process-wide.
    $look = { param($from, $certificate, $chain, $errors) $seen['errors'] = "$errors"; $true }.GetNewClosure()
    $callback = [Net.Security.RemoteCertificateValidationCallback]$look
    $tls = New-Object -TypeName Net.Security.SslStream -ArgumentList $stream, $true, $callback
    try {
        $tls.AuthenticateAsClient($name, $null, [Security.Authentication.SslProtocols]::Tls12, $false)
        $peer = New-Object -TypeName Security.Cryptography.X509Certificates.X509Certificate2 -ArgumentList $tls.RemoteCertificate
        @{
            protocol = "$($tls.SslProtocol)"
            subject = "$($peer.Subject)"
            issuer = "$($peer.Issuer)"
            thumbprint = "$($peer.Thumbprint)"
            not_after = ConvertTo-UtcText $peer.NotAfter
            policy_errors = $seen['errors']
        }
    }
    finally { $tls.Dispose() }
}

function Get-FailedStage([string]$cause) {
    $stages = @{
        NameResolutionFailure = 'dns'; ProxyNameResolutionFailure = 'proxy'; TrustFailure = 'tls'; SecureChannelFailure = 'tls'
        NameResolutionError = 'dns'; ProxyTunnelError = 'proxy'; SecureConnectionError = 'tls'
    }
    if ($stages.ContainsKey($cause)) { return $stages[$cause] }
    'connect'
}

# Constrained language: any HTTP answer proves the path; who the peer is cannot be seen.
function Test-EndpointByCmdlet($state, $proxy, [int]$timeout) {
    $answer = $state['answer']
    $scheme = 'http'
    if ($state['tls']) { $scheme = 'https' }
    $query = @{ Uri = "$($scheme)://$($answer['host']):$($answer['port'])/"; Method = 'Head'; UseBasicParsing = $true; MaximumRedirection = 0 }
    $query['TimeoutSec'] = [int](($timeout + 999) / 1000)
    if ($proxy) { $query['Proxy'] = "$proxy" }
    try {
        $null = Invoke-WebRequest @query -ErrorAction Stop
        $answer['connected'] = $true
    }
    catch {
        # Windows PowerShell tells the cause in Status, PowerShell 7 in HttpRequestError.
        $facts = Get-PropertyTable $_.Exception @('Response', 'Status', 'HttpRequestError')
        $code = (Get-PropertyTable $facts['Response'] @('StatusCode'))['StatusCode']
        if ($proxy -and $null -ne $code -and [int]$code -eq 407) {
            $answer['proxy_status'] = 407
            $answer['error'] = @{ stage = 'proxy'; message = 'the proxy answered with status 407' }
        }
        # A redirect that is not followed is an error of the cmdlet without a response, but the server has answered.
        elseif ($null -ne $facts['Response'] -or "$($_.FullyQualifiedErrorId)" -like 'MaximumRedirectExceeded*') { $answer['connected'] = $true }
        else { $answer['error'] = @{ stage = Get-FailedStage "$($facts['Status'])$($facts['HttpRequestError'])"; message = "$($_.Exception.Message)" } }
    }
    $answer['ms'] = [int]((Get-Date) - $state['begin']).TotalMilliseconds
}

# ---- account and rights: for prerequisites in depth; no task asks them yet

# Whether a service account, one that the user brings, can be used on this server.
function Get-AccountAnswer($probe) {
    Assert-Argument $probe 'name'
    Assert-FullLanguage
    # The server is an IntPtr: PowerShell would hand over an empty string for a null one.
    $api = Add-Type -Namespace OdjProbe -Name ServiceAccount -PassThru -MemberDefinition @'
[DllImport("logoncli.dll", CharSet = CharSet.Unicode)]
public static extern int NetQueryServiceAccount(IntPtr server, string name, uint level, out IntPtr buffer);
[DllImport("netapi32.dll")]
public static extern int NetApiBufferFree(IntPtr buffer);
'@
    $buffer = [IntPtr]::Zero
    $status = $api::NetQueryServiceAccount([IntPtr]::Zero, "$($probe['name'])", 0, [ref]$buffer)
    # 0xC0000136: Netlogon asked a domain controller as the caller, who has no credentials to give.
    if ($status -eq -1073741514) { throw 'NoCredentials, the logon of this connection cannot ask a domain controller; run as SYSTEM' }
    $state = $null
    if ($status -eq 0) {
        $state = [Runtime.InteropServices.Marshal]::ReadInt32($buffer)
        $null = $api::NetApiBufferFree($buffer)
    }
    @{ status = ([long]$status) -band 4294967295; state = $state }
}

function ConvertTo-Holder([string]$entry) {
    if ($entry.StartsWith('*')) { return @{ sid = $entry.Substring(1); name = $null } }
    if ($fullLanguage) {
        try { return @{ sid = ([Security.Principal.NTAccount]$entry).Translate([Security.Principal.SecurityIdentifier]).Value; name = $null } }
        catch { $null = $_ }
    }
    @{ sid = $null; name = $entry }
}

# Who holds a user right, such as to log on as a service.
function Get-RightsAnswer($probe) {
    Assert-Argument $probe 'names'
    $file = "$env:TEMP\odj-$(New-Guid).inf"
    try {
        $export = Invoke-Program "$system32\secedit.exe" @('/export', '/cfg', $file, '/areas', 'USER_RIGHTS', '/quiet')
        if ($export['code'] -ne 0) { throw "ProgramFailed, secedit.exe ended with code $($export['code'])" }
        $lines = @(Get-Content -LiteralPath $file -Encoding Unicode | ForEach-Object { "$_" })
    }
    finally { Remove-Item -LiteralPath $file -Force -ErrorAction Ignore }
    if ($lines.Count -eq 0) { throw 'ProgramFailed, secedit.exe wrote an empty file' }
    $rights = @{}
    foreach ($name in @($probe['names'])) {
        $holders = @()
        foreach ($line in $lines) {
            $left, $right = $line -split '=', 2
            if ($right -and $left.Trim() -eq $name) {
                $holders = @($right -split ',' | ForEach-Object { $_.Trim() } | Where-Object { $_ } | ForEach-Object { ConvertTo-Holder $_ })
            }
        }
        $rights["$name"] = $holders
    }
    @{ rights = $rights }
}

# ---- all questions

$functions = @{
    host = 'Get-HostAnswer'
    registry = 'Get-RegistryAnswer'
    cim = 'Get-CimAnswer'
    file = 'Get-FileAnswer'
    directory = 'Get-DirectoryAnswer'
    service = 'Get-ServiceAnswer'
    event = 'Get-EventAnswer'
    certificate = 'Get-CertificateAnswer'
    endpoint = 'Get-EndpointAnswer'
    account = 'Get-AccountAnswer'
    rights = 'Get-RightsAnswer'
}

$started = Get-Date
$answers = @{}
foreach ($probe in @($complex_args['probes'])) {
    $begin = Get-Date
    try {
        $kind = "$($probe['kind'])"
        if (-not $functions.ContainsKey($kind)) { throw "UnknownKind, there is no kind $kind" }
        $answer = @{ ok = $true; value = (& $functions[$kind] $probe) }
    }
    catch { $answer = @{ ok = $false; error = (Get-ErrorAnswer $_) } }
    $answer['ms'] = [int]((Get-Date) - $begin).TotalMilliseconds
    $answers["$($probe['id'])"] = $answer
}
$elapsed = [int]((Get-Date) - $started).TotalMilliseconds
ConvertTo-Json -Depth 20 -Compress -InputObject @{ changed = $false; answers = $answers; elapsed_ms = $elapsed }
$global:LASTEXITCODE = 0
